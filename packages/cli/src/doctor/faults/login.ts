/** Faults of the login: credentials, tokens, and what the server says to them. */

export const FAULTS_OF_LOGIN = {
  CREDENTIALS_MISSING: {
    step: 'credentials',
    meaning: 'There is nothing to log in with.',
    remedy: 'Give a user and a password, `--iam` or `--secret`; in options: `password` or `credentials`.',
  },
  CREDENTIALS_INVALID: {
    step: 'credentials',
    meaning: 'The source has no credential to give: missing, not allowed, or of the wrong shape.',
    remedy: 'As the line says: name, region, permission or content of the secret; AWS credentials that sign.',
  },
  CREDENTIALS_UNAVAILABLE: {
    step: 'credentials',
    meaning: 'The source did not answer in time.',
    remedy: 'Is there a way to Secrets Manager (NAT gateway or VPC endpoint)? Is its quota used up?',
  },
  TOKEN_WRONG_HOST: {
    step: 'token',
    meaning: 'The token is signed for another endpoint than the one connected to: no server takes it.',
    remedy:
      'Connect to the endpoint that it is signed for, or sign for the endpoint that is connected to: `iamToken({ hostname })`, --token-host.',
  },
  TOKEN_WRONG_REGION: {
    step: 'token',
    meaning: "The token is signed for another region than the endpoint's.",
    remedy: 'Leave `region` out: it is in the name of the endpoint.',
  },
  TOKEN_WITHOUT_TLS: {
    step: 'token',
    meaning: 'A token goes over the wire as it is, and there is no TLS.',
    remedy: 'Turn TLS on: `ssl`, or --ca.',
  },
  PASSWORD_REFUSED: {
    step: 'login',
    meaning: 'The server refuses user and password.',
    remedy:
      'Check both; on MySQL also the host that the account is for. After a rotation: is the secret in step with the server?',
  },
  TOKEN_REFUSED: {
    step: 'login',
    meaning: 'The server refuses the token. It does not say why.',
    remedy:
      'Is `rds-db:connect` allowed for this user and resource id; has the user `rds_iam` (MySQL: AWSAuthenticationPlugin); is the token for this endpoint; is the clock right?',
  },
  HOST_REFUSED: {
    step: 'login',
    meaning: 'The server lets nobody in from this address, or not in this way.',
    remedy:
      'PostgreSQL: a line in pg_hba.conf for user, database, address and TLS (RDS: `rds.force_ssl` asks for TLS). MySQL: an account for this host; `flush hosts` where it was blocked.',
  },
  TLS_DEMANDED: {
    step: 'login',
    meaning: 'The server lets nobody in without TLS.',
    remedy: 'Turn TLS on: `ssl`, or --ca.',
  },
  DATABASE_UNKNOWN: {
    step: 'login',
    meaning: 'There is no such database.',
    remedy: 'Check the name: PostgreSQL tells capitals from small letters.',
  },
  DATABASE_DENIED: {
    step: 'login',
    meaning: 'The user may not use this database.',
    remedy: 'Grant it: `grant connect on database …`, or `grant … on database.*`.',
  },
  SATURATED: {
    step: 'login',
    meaning: 'Every slot is taken, and none came free in time.',
    remedy:
      'End sessions that are of no use, lower reserved concurrency, or raise the limit. With a slot to spare, `leasehold top` shows who holds them.',
  },
  SERVER_STARTING: {
    step: 'login',
    meaning: 'The server is starting, stopping or recovering.',
    remedy: 'Wait, and try again.',
  },
  LOGIN_FAILED: {
    step: 'login',
    meaning: 'The login failed for another reason.',
    remedy: "The code is the driver's or the server's: look it up there.",
  },
} as const
