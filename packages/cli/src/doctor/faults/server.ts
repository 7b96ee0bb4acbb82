/** Faults that are found once logged in: what the server can do, what it allows, how full it is. */

export const FAULTS_OF_SERVER = {
  VERSION_TOO_OLD: {
    step: 'version',
    meaning: 'The server is older than what Leasehold needs to hold a lease.',
    remedy:
      "Upgrade: PostgreSQL 14, MySQL 8.0, MariaDB 10.6. Until then idle connections are dropped by the client's clock alone.",
  },
  PROXY_BETWEEN: {
    step: 'proxy',
    meaning: 'A pooler or proxy stands in between: leases are not of the sessions that take the slots.',
    remedy: "Connect to the server itself, or leave pooling to the proxy and say `lease: 'client'`.",
  },
  CENSUS_REFUSED: {
    step: 'rights',
    meaning: 'The login may not count the sessions: pressure is not seen, nothing is yielded.',
    remedy:
      'Give back what an ordinary login has: reading `pg_stat_get_activity`, or `performance_schema.global_status`.',
  },
  TERMINATION_REFUSED: {
    step: 'rights',
    meaning: "The login may not end its own account's sessions: a fleet can't recall idle ones.",
    remedy: 'Give back `execute` on `pg_terminate_backend`; MySQL and MariaDB let every login end its own.',
  },
  LABELS_HIDDEN: {
    step: 'rights',
    meaning: 'The server shows no labels: fleets are counted, but not told apart.',
    remedy: 'Turn `performance_schema` on (MariaDB has it off), where telling them apart matters.',
  },
  PRESSURE_HIGH: {
    step: 'pressure',
    meaning: 'More slots are used than the target allows: leases are short, and slots are handed over.',
    remedy:
      'See who holds them below. End what is of no use, lower reserved concurrency, or raise the limit.',
  },
  IDLE_UNGOVERNED: {
    step: 'pressure',
    meaning: 'Sessions that nobody governs have been idle for long: no lease ends them.',
    remedy:
      'Find their programs by name and user; govern their pools too, or set `idle_session_timeout` or `wait_timeout` for their login.',
  },
  CLOCK_SKEWED: {
    step: 'time',
    meaning:
      'The clocks of this machine and of the server differ: tokens may be too old, or from the future, and labels lie.',
    remedy: "Set the clock of this machine; Lambda's and RDS's are kept right for you.",
  },
  LEASE_OUTLIVES_FLOW: {
    step: 'time',
    meaning:
      'The lease is longer than NAT gateways and network load balancers remember an idle flow (350 s).',
    remedy: 'Set `maxLeaseMs` to 300 000 or less where one of them is on the way.',
  },
  IDLE_LIMIT_SHORTER: {
    step: 'time',
    meaning: 'Without leases the server ends idle sessions sooner than this side thinks.',
    remedy: "Set `maxLeaseMs` below the server's limit, or let the server hold the lease: `lease: 'server'`.",
  },
  STATEMENT_LIMIT_SHORTER: {
    step: 'time',
    meaning: 'The server ends statements sooner than `queryTimeoutMs` does.',
    remedy:
      'Raise `statement_timeout` (MySQL: `max_execution_time`, MariaDB: `max_statement_time`), or lower `queryTimeoutMs`.',
  },
  LEASE_REFUSED: {
    step: 'lease',
    meaning:
      "The server, or a proxy before it, will not take a lease: idle connections are dropped by the client's clock alone.",
    remedy:
      "Connect to the server itself; PostgreSQL 14 or later. Where it can't be helped: `lease: 'client'`.",
  },
  LEASE_NOT_HELD: {
    step: 'lease',
    meaning: 'The server took the lease and did not end the idle session when it was over.',
    remedy:
      'Something between keeps the session busy or alive, or a proxy holds another one: connect to the server itself.',
  },
  CONNECTION_LOST: {
    step: 'any',
    meaning: 'The connection went away in the middle of the examination.',
    remedy: 'Run it again. If it goes again: who ends it, a failover, an administrator, a firewall?',
  },
  NO_ANSWER: {
    step: 'any',
    meaning: 'The server did not answer a question in time.',
    remedy: 'Is it overloaded, or is something locked? Try a longer --timeout-ms.',
  },
  UNEXPECTED: {
    step: 'any',
    meaning: 'Something that this list does not know.',
    remedy: "The code is the driver's or the server's: look it up there.",
  },
} as const
