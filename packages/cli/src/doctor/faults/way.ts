/** Faults of the way to the server: name, port, protocol, TLS. */

export const FAULTS_OF_WAY = {
  NAME_NOT_FOUND: {
    step: 'name',
    meaning: 'The host name leads nowhere: no DNS server knows it.',
    remedy:
      'Copy the endpoint from the console again. A name of a private hosted zone is known inside its VPC only.',
  },
  NAME_LOOKUP_FAILED: {
    step: 'name',
    meaning: 'No DNS server answered in time.',
    remedy:
      "In a VPC: are `enableDnsSupport` and `enableDnsHostnames` on, and is the DHCP option set's server reachable?",
  },
  PORT_CLOSED: {
    step: 'port',
    meaning: 'The host is there, and nothing listens on the port.',
    remedy: 'Check the port, and whether the server runs: an Aurora cluster may be stopped, or be starting.',
  },
  PORT_SILENT: {
    step: 'port',
    meaning: 'Nothing came back, not even a refusal: something on the way drops the packets.',
    remedy:
      "Let the function's security group in at the database's; check subnets, route tables and network ACLs. A private address is reachable from its own VPC only.",
  },
  UNREACHABLE: {
    step: 'port',
    meaning: 'There is no way to the address from here.',
    remedy:
      'Is the function in the VPC, and do its subnets have a route to the address? For IPv6: does the function have it?',
  },
  SERVER_SILENT: {
    step: 'protocol',
    meaning: 'The port took the connection, and then nobody spoke.',
    remedy:
      'A load balancer without a healthy target, a tunnel with nothing behind it, or a server that hangs: look at that end.',
  },
  WRONG_PROTOCOL: {
    step: 'protocol',
    meaning: 'What answers is not the engine that was named.',
    remedy: 'Check port and engine: 5432 is PostgreSQL, 3306 MySQL and MariaDB.',
  },
  TLS_NOT_OFFERED: {
    step: 'tls',
    meaning: 'TLS is asked for, and the server has none.',
    remedy: 'Turn TLS on at the server. Towards RDS it is always offered: is this host what it should be?',
  },
  TLS_UNTRUSTED: {
    step: 'tls',
    meaning: 'The certificate comes from an authority that is not trusted here.',
    remedy:
      "Give the authority's certificate: `ssl: { ca }`, or --ca. RDS's own are trusted towards its own host names; behind a CNAME or a tunnel name them.",
  },
  TLS_WRONG_NAME: {
    step: 'tls',
    meaning: 'The certificate is for another host name.',
    remedy:
      "Connect to a name that it is for: the endpoint itself, not a CNAME or an address. Through a tunnel no name fits; PostgreSQL's driver takes `ssl: { ca, checkServerIdentity }`.",
  },
  TLS_EXPIRED: {
    step: 'tls',
    meaning: 'The certificate is out of date.',
    remedy:
      "Renew it (RDS: rotate the instance's certificate). If it looks sound, look at the clock of this machine.",
  },
  TLS_FAILED: {
    step: 'tls',
    meaning: 'The TLS handshake failed.',
    remedy:
      'Server and Node have no version or cipher in common, or something in between meddles: the code says which.',
  },
  TLS_OFF: {
    step: 'tls',
    meaning: 'The connection is not encrypted: whoever sees the packets sees the data.',
    remedy:
      'Give `ssl` with the authority to trust. Towards RDS host names TLS is on unless it is turned off.',
  },
  TLS_UNVERIFIED: {
    step: 'tls',
    meaning: 'TLS is on, but anybody could be at the other end: certificate or name is not checked.',
    remedy:
      'Leave out `rejectUnauthorized: false` (or sslmode no-verify); on MySQL and MariaDB give `verifyIdentity: true`.',
  },
} as const
