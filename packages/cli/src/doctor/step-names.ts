/** The steps of an examination in their order, and what each of them looks at. */

export const STEP_NAMES = [
  'name',
  'port',
  'protocol',
  'tls',
  'credentials',
  'token',
  'login',
  'version',
  'proxy',
  'rights',
  'slots',
  'pressure',
  'time',
  'lease',
] as const

export type StepName = (typeof STEP_NAMES)[number]

/** The question that each of them answers. */
export const QUESTIONS: Readonly<Record<StepName, string>> = {
  name: 'Does the host name lead to an address?',
  port: 'Does the port take a connection?',
  protocol: "Does what answers speak the engine's protocol?",
  tls: 'Is there TLS, is the certificate trusted, in date and for this host?',
  credentials: 'Is there something to log in with: a password, a token, a secret that can be read?',
  token: 'Is the token signed for this endpoint, region and user?',
  login: 'Does the server let the user in, into this database, and has it a slot?',
  version: 'Can this version hold leases?',
  proxy: 'Does a pooler or proxy stand in between?',
  rights: 'May the login count sessions, and end those of its own account?',
  slots: 'How many slots are there, and what is reserved?',
  pressure: 'How many are used, and who holds them?',
  time: 'Do the clocks agree, and do the time limits of both sides?',
  lease: 'Does the server end an idle session when its lease of 2 s is over?',
}
