// The face of a started server: the same for every engine, so that one suite can run over all of them.
import type { Iam } from './iam.ts'
import type { TlsFiles } from './tls-files.ts'

/** The kind of server: its wire protocol and its SQL. MariaDB and MySQL differ enough to be told apart. */
export type Engine = 'postgresql' | 'mariadb' | 'mysql'

export interface ServerOptions {
  /**
   * The server's `max_connections`, as its operator would set it. {@link DatabaseServer.slots} says how many
   * of them an ordinary login can open.
   * @defaultValue the server's own (PostgreSQL 100, MariaDB and MySQL 151)
   */
  readonly maxConnections?: number | undefined
  /**
   * Further server settings by their names in the engine's own configuration file (`idle_session_timeout`,
   * `wait_timeout`). They win over the ones this library chooses.
   */
  readonly settings?: Readonly<Record<string, string>> | undefined
  /**
   * The server offers TLS with this certificate, and does not insist on it. Without this option, PostgreSQL
   * and MariaDB have no TLS; MySQL has some with a certificate of its own that nobody can check.
   */
  readonly tls?: TlsFiles | undefined
}

/** An account of the server. It has no privilege beyond its own database. */
export interface Login {
  readonly user: string
  readonly password: string
}

export interface LoginLimits {
  /** Most sessions of this login at once, from 1. @defaultValue no limit of its own */
  readonly maxConnections?: number | undefined
}

/** One client session as the server itself shows it to its administrator. */
export interface ServerSession {
  /** Process id (PostgreSQL) or thread id (MySQL, MariaDB): what {@link DatabaseServer.terminate} takes. */
  readonly id: number
  readonly user: string
  readonly database: string | undefined
  /**
   * `application_name` (PostgreSQL) or the connection attribute `program_name` (MySQL, MariaDB). `undefined`
   * where there is none; MariaDB shows it only if started with the setting `performance_schema: 'ON'`.
   */
  readonly label: string | undefined
  /** The session waits for its client: no statement is running. Also true inside an open transaction. */
  readonly idle: boolean
  /**
   * A transaction is open. PostgreSQL: `undefined` while a statement runs, because the server does not tell
   * then. MySQL, MariaDB: true once the transaction has touched a table; up to 250 ms late.
   */
  readonly inTransaction: boolean | undefined
}

export interface DatabaseServer {
  readonly engine: Engine
  /** What the server calls itself, for example `18.4`. */
  readonly version: string
  /** Engine and major version for people, for example `PostgreSQL 18`. */
  readonly name: string
  readonly host: string
  /** Stays the same over stop, kill and start. Outside the range of ephemeral ports. */
  readonly port: number
  /** The one database that the logins use. */
  readonly database: string
  /** An ordinary login with all rights on {@link database} and no privilege outside it. Random password. */
  readonly login: Login
  /** How many sessions the ordinary logins can really open together. One more is refused: 53300, or 1040. */
  readonly slots: number
  /**
   * How many sessions of this library a census taken by an ordinary login finds besides the ordinary ones, as
   * used and in the limit alike: it counts `slots + controlSessions` places. PostgreSQL 0, MariaDB 0, MySQL
   * 1.
   */
  readonly controlSessions: number
  /** What a client has to trust. `undefined` unless started with {@link ServerOptions.tls}. */
  readonly tls?: { readonly ca: string } | undefined
  /** Logins by token. `undefined` unless started with the option of the same name. */
  readonly iam?: Iam | undefined
  /**
   * Creates another ordinary login with the same rights. One session more than its limit is refused: 53300 or
   * 1226.
   */
  createLogin(limits?: LoginLimits): Promise<Login>
  /**
   * Changes a login's password, as a rotation does. Open sessions stay; {@link login} keeps the old one.
   * Throws if there is no such user.
   */
  setPassword(user: string, password: string): Promise<void>
  /**
   * Runs SQL as the superuser, in {@link database}, also while every slot is taken. Returns the rows of the
   * last statement. Each call stands for itself: no transaction or session setting lasts until the next.
   * Throws if the server is down; never waits for it. MySQL and MariaDB run one call after the other.
   */
  admin(sql: string): Promise<readonly Record<string, unknown>[]>
  /**
   * The client sessions, or those of one user, without this library's own and without background workers.
   * While the server is full, one that is just being refused may be among them for a moment.
   */
  sessions(user?: string): Promise<readonly ServerSession[]>
  /** Ends a session from the server's side. A session that is not there any more is no error. */
  terminate(id: number): Promise<void>
  /** Orderly, fast shutdown: open sessions are ended. Data stays. Stopping a stopped server does nothing. */
  stop(): Promise<void>
  /** SIGKILL for every process of the server. What was committed stays. */
  kill(): Promise<void>
  /** Starts a stopped or killed server again on the same port; resolves when logins work. */
  start(): Promise<void>
  /** {@link stop} and {@link start}. */
  restart(): Promise<void>
  /** CPU time that all processes of the server have used so far, in steps of 10 ms. Linux only. */
  cpuMs(): Promise<number>
  /** Ends the server and removes its data. It cannot be started again. */
  dispose(): Promise<void>
}
