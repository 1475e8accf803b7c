/** What a check looks at. The same failure means another wall at a database in the mesh than at a host outside. */
export type Kind = 'database' | 'outside'

/** `limited`: it answers, and says that it would rather be asked less. */
export type State = 'connected' | 'limited' | 'unreachable'

/** The layers of k8s/layers whose refusals look like this one, the likeliest first. */
export type Walls = readonly string[]

interface Row {
  readonly state: State
  /** For people, of the thing that was checked: "It ...". Nothing of addresses, users or a driver's words. */
  readonly says: string
  /** Nothing here: no wall looks like this. */
  readonly walls?: Partial<Record<Kind, Walls>>
  /** What else it can be, or why it is that wall. */
  readonly hint?: Partial<Record<Kind, string>>
}

const DROPPED = {
  database: ['20-network', '30-cilium'],
  outside: ['30-cilium', '20-network'],
} as const

const droppedHint = (what: string) => ({
  database: `${what} A network policy that drops the packets looks like this, at either end.`,
  outside: `${what} A network policy that does not open this address looks like this.`,
})

/**
 * Every reason that a check can give: a closed list, in the JSON and on the page, and a table of the README. A client sees
 * symptoms and no causes, so a code says what was seen, and `walls` which of ours looks like that.
 */
export const codes = {
  connected: { state: 'connected', says: 'It answered.' },
  limited: {
    state: 'limited',
    says: 'It can be reached, and limits how often it answers callers that do not sign in (403 or 429).',
  },

  'dns-refused': {
    state: 'unreachable',
    says: 'The name server refused to resolve its name.',
    walls: { outside: ['30-cilium'], database: ['30-cilium'] },
    hint: { outside: 'This is what a DNS rule does to a name that it does not list.' },
  },
  'dns-timeout': {
    state: 'unreachable',
    says: 'The name server never answered the question for its name.',
    walls: { outside: ['30-cilium', '20-network'], database: ['30-cilium', '20-network'] },
    hint: { outside: 'The question was dropped: no policy lets this pod ask the name server.' },
  },
  'dns-not-found': {
    state: 'unreachable',
    says: 'Its name does not exist.',
    hint: { database: 'Is there such a Service, and is the name spelled right?' },
  },

  refused: {
    state: 'unreachable',
    says: 'It refused the connection: nothing listens there.',
    hint: { database: 'PostgreSQL is not running, or listens on another port.' },
  },
  'no-route': { state: 'unreachable', says: 'There is no way to its address from here.' },
  timeout: {
    state: 'unreachable',
    says: 'Not one byte came back in time.',
    walls: DROPPED,
    hint: {
      ...droppedHint('Packets that go nowhere.'),
      database:
        'A network policy that drops the packets looks like this, at either end; so does a PostgreSQL that hangs.',
    },
  },
  'late-reset': {
    state: 'unreachable',
    says: 'The connection opened, waited, and was reset without a byte.',
    walls: DROPPED,
    hint: droppedHint('Inside the mesh every connection opens; the mesh then gave up dialling.'),
  },
  reset: {
    state: 'unreachable',
    says: 'The connection opened and was reset.',
    walls: { database: ['50-identity', '40-mtls'] },
    hint: {
      database: 'The mesh at PostgreSQL does not let this pod’s identity in, or PostgreSQL is not up behind it.',
      outside: 'It was closed before the answer was complete.',
    },
  },
  slow: {
    state: 'unreachable',
    says: 'It began to answer, and was not done in time.',
    hint: {
      database: 'PostgreSQL is overloaded, or its network is slow.',
      outside: 'It is overloaded, or the network is slow.',
    },
  },

  'tls-reset': {
    state: 'unreachable',
    says: 'The connection was reset during the TLS handshake.',
    walls: { outside: ['30-cilium'], database: ['50-identity', '40-mtls'] },
    hint: {
      outside: 'This is what a rule on TLS server names (serverNames) does to a name that it does not list.',
    },
  },
  'tls-refused': { state: 'unreachable', says: 'It ended the TLS handshake with an alert.' },
  'tls-untrusted': {
    state: 'unreachable',
    says: 'Its certificate cannot be trusted, so nothing was sent to it.',
    hint: {
      outside: 'Something on the way answers in its place, or this pod does not know its certificate authority.',
    },
  },
  'tls-missing': {
    state: 'unreachable',
    says: 'It does not speak TLS, and this app is told to speak nothing else to it.',
    hint: { database: 'DB_SSLMODE asks for TLS; inside the mesh the tunnel encrypts, and disable is right.' },
  },

  'protocol-error': { state: 'unreachable', says: 'What it answered is not its protocol.' },
  'status-unexpected': {
    state: 'unreachable',
    says: 'It answered with another status than expected.',
  },

  'db-auth-failed': {
    state: 'unreachable',
    says: 'PostgreSQL did not accept the user name or the password.',
    hint: { database: 'The Secret and the database disagree; no wall looks like this.' },
  },
  'db-password-in-clear': {
    state: 'unreachable',
    says: 'It asked for the password in clear, and did not get it.',
    hint: {
      database:
        'Something answers in the place of PostgreSQL, or it is set to the method password; scram-sha-256 shows it to nobody.',
    },
  },
  'db-unknown-database': { state: 'unreachable', says: 'PostgreSQL has no database of that name.' },
  'db-starting': { state: 'unreachable', says: 'PostgreSQL is starting up, and takes no connections yet.' },
  'db-stopping': { state: 'unreachable', says: 'PostgreSQL is shutting down.' },
  'db-busy': { state: 'unreachable', says: 'PostgreSQL has no connection left to give.' },
  'db-error': { state: 'unreachable', says: 'PostgreSQL answered with an error; the log of this app has it.' },

  failed: {
    state: 'unreachable',
    says: 'The check failed in a way that it has no word for; the log of this app has it.',
  },
} as const satisfies Readonly<Record<string, Row>>

export type Code = keyof typeof codes

/** The row of a code, with every field that a row may have. */
export const rowOf = (code: Code): Row => codes[code]
