import { parseAddress, parseBlock } from '../../model/addresses.js'

/** What ztunnel knows of a connection when it asks its policies. */
export interface Subject {
  readonly ip: string
  /** The container's port. */
  readonly port: number
  readonly destinationIp: string
  /** Undefined without a certificate. */
  readonly caller: CallerIdentity | undefined
}

export interface CallerIdentity {
  /** `<trust domain>/ns/<namespace>/sa/<service account>` */
  readonly principal: string
  readonly namespace: string
  readonly serviceAccount: string
}

const spiffe = /^spiffe:\/\/([^/]+\/ns\/([^/]+)\/sa\/([^/]+))$/

/** Splits an identity; undefined when it is not one of Istio's. */
export function readIdentity(identity: string): CallerIdentity | undefined {
  const [, principal, namespace, serviceAccount] = spiffe.exec(identity) ?? []
  if (principal === undefined || namespace === undefined || serviceAccount === undefined) return undefined
  return { principal, namespace, serviceAccount }
}

/** One attribute of one entry of a rule: what it wants, and whether a connection has it. */
export interface Attribute {
  /** As written in the policy: `principals`, `notPorts`, `when source.ip`. */
  readonly name: string
  readonly wants: readonly string[]
  holds(subject: Subject): boolean
  /** What the connection has instead, for people. */
  has(subject: Subject): string
}

type Test = (subject: Subject) => boolean

/**
 * `abc` exact, `abc*` prefix, `*abc` suffix, `*` present and not empty; a `*` in the middle is a letter like any other
 * (C.3).
 */
export function stringTest(pattern: string): (value: string) => boolean {
  if (pattern === '*') return (value) => value !== ''
  if (pattern.startsWith('*')) {
    const suffix = pattern.slice(1)
    return (value) => value.endsWith(suffix)
  }
  if (pattern.endsWith('*')) {
    const prefix = pattern.slice(0, -1)
    return (value) => value.startsWith(prefix)
  }
  return (value) => value === pattern
}

/** A connection without an identity has no principal, namespace or service account: nothing positive matches (C.6). */
const anyString = (patterns: readonly string[], value: (subject: Subject) => string | undefined): Test => {
  const tests = patterns.map(stringTest)
  return (subject) => {
    const text = value(subject)
    return text !== undefined && tests.some((test) => test(text))
  }
}

/** What one kind of attribute reads from a connection, and how a list of values is turned into a test. */
export interface AttributeKind {
  compile(values: readonly string[], invalid: (value: string) => never, namespace: string): Test | undefined
  has(subject: Subject): string
}

const anonymous = 'no identity'

/** Ports that are not numbers are dropped before ztunnel sees the policy (C.5). Undefined: no value is left. */
const ports: AttributeKind = {
  compile: (values) => {
    const numbers = new Set(values.filter((value) => /^\d+$/.test(value)).map(Number))
    return numbers.size === 0 ? undefined : (subject) => numbers.has(subject.port)
  },
  has: (subject) => String(subject.port),
}

const blocks = (read: (subject: Subject) => string): AttributeKind => ({
  compile: (values, invalid) => {
    const list = values.map((value) => parseBlock(value) ?? invalid(value))
    return (subject) => {
      const address = parseAddress(read(subject))
      return address !== undefined && list.some((block) => block.contains(address))
    }
  },
  has: read,
})

const strings = (read: (subject: Subject) => string | undefined): AttributeKind => ({
  compile: (values) => anyString(values, read),
  has: (subject) => read(subject) ?? anonymous,
})

/** `namespace/name`, or `name` in the policy's namespace; exact, whatever the trust domain (C.6). */
const serviceAccounts: AttributeKind = {
  compile: (values, _invalid, namespace) => {
    const wanted = new Set(values.map((value) => (value.includes('/') ? value : `${namespace}/${value}`)))
    return (subject) =>
      subject.caller !== undefined && wanted.has(`${subject.caller.namespace}/${subject.caller.serviceAccount}`)
  },
  has: (subject) =>
    subject.caller === undefined ? anonymous : `${subject.caller.namespace}/${subject.caller.serviceAccount}`,
}

/** The attributes that ztunnel reads: of a source, of an operation, and as keys of `when`. */
export const sourceKinds: Readonly<Record<string, AttributeKind>> = {
  principals: strings((subject) => subject.caller?.principal),
  namespaces: strings((subject) => subject.caller?.namespace),
  serviceAccounts,
  ipBlocks: blocks((subject) => subject.ip),
}
export const operationKinds: Readonly<Record<string, AttributeKind>> = { ports }
export const conditionKinds: Readonly<Record<string, AttributeKind>> = {
  'source.ip': blocks((subject) => subject.ip),
  'source.namespace': strings((subject) => subject.caller?.namespace),
  'source.principal': strings((subject) => subject.caller?.principal),
  'destination.ip': blocks((subject) => subject.destinationIp),
  'destination.port': ports,
}
