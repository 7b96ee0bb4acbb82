// The rights of ordinary users of a PostgreSQL server: everything in the one database, and nothing outside it.
import { APP } from './login.ts'

/** For the first login, to which the database belongs. */
export function ownership(user: string): string {
  return `
    alter database ${APP} owner to ${user};
    alter default privileges for role ${user} grant all on tables to public;
    alter default privileges for role ${user} grant all on sequences to public;`
}

/** Not membership in the owner's role: that would allow to end the owner's sessions. */
export function privileges(user: string): string {
  return `
    grant all on database ${APP} to ${user};
    grant all on schema public to ${user};
    alter default privileges for role ${user} grant all on tables to public;
    alter default privileges for role ${user} grant all on sequences to public;`
}
