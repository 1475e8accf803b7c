import { parseAddress, parseBlock } from '../../model/addresses.js'
import type { Subject } from './subject.js'
import { type Pattern, stringPattern, type TextReader, type TextTest, takes } from './texts.js'

/** One attribute of one entry of a rule: what it wants, and whether a connection (or request) has it. */
export interface Attribute<S extends Subject = Subject> {
  /** As written in the policy: `principals`, `notPorts`, `when source.ip`. */
  readonly name: string
  readonly wants: readonly string[]
  holds(subject: S): boolean
  /** What the connection has instead, for people. */
  has(subject: S): string
  /** The same as `holds`, where it compares texts. */
  readonly texts?: TextTest<S>
}

export type Test<S extends Subject = Subject> = (subject: S) => boolean

/** Throws for a value that is not what it should be (`an IP address or CIDR block`). */
export type Invalid = (value: string, expected: string) => never

/** What one kind of attribute reads from a connection, and how a list of values is turned into a test. */
export interface AttributeKind<S extends Subject = Subject> {
  /** Undefined: none of the values is one that the proxy takes. `invalid` throws. */
  compile(values: readonly string[], invalid: Invalid, namespace: string): Test<S> | undefined
  /** Of a kind that compares texts. */
  readonly texts?: {
    readonly reader: TextReader<S>
    patterns(values: readonly string[], invalid: Invalid): readonly Pattern[]
  }
  has(subject: S): string
}

const anonymous = 'no identity'

/**
 * A connection without an identity has no principal, namespace or service account: nothing positive matches (C.6).
 *
 * @param name of what is read; the same for the same
 */
export function strings<S extends Subject>(
  name: string,
  read: (subject: S) => string | undefined,
  patternOf: (value: string, invalid: Invalid) => Pattern = stringPattern,
  absent = anonymous,
): AttributeKind<S> {
  const patterns = (values: readonly string[], invalid: Invalid): readonly Pattern[] =>
    values.map((value) => patternOf(value, invalid))
  return {
    compile: (values, invalid) => {
      const wanted = patterns(values, invalid)
      return (subject) => {
        const text = read(subject)
        return text !== undefined && wanted.some((pattern) => takes(pattern, text))
      }
    },
    texts: { reader: { name, read }, patterns },
    has: (subject) => read(subject) ?? absent,
  }
}

/** Ports that are not numbers are dropped before the proxy sees the policy (C.5). */
export const ports: AttributeKind = {
  compile: (values) => {
    const numbers = new Set(values.filter(isPort).map(Number))
    return numbers.size === 0 ? undefined : (subject) => numbers.has(subject.port)
  },
  has: (subject) => String(subject.port),
}

export const isPort = (value: string): boolean => /^\d+$/.test(value)

export function blocks<S extends Subject>(read: (subject: S) => string): AttributeKind<S> {
  return {
    compile: (values, invalid) => {
      const list = values.map((value) => parseBlock(value) ?? invalid(value, 'an IP address or CIDR block'))
      return (subject) => {
        const address = parseAddress(read(subject))
        return address !== undefined && list.some((block) => block.contains(address))
      }
    },
    has: read,
  }
}

/** `namespace/name`, or `name` in the policy's namespace; exact, whatever the trust domain (C.6). */
export const serviceAccounts: AttributeKind = {
  compile: (values, _invalid, namespace) => {
    const wanted = new Set(values.map((value) => (value.includes('/') ? value : `${namespace}/${value}`)))
    return (subject) =>
      subject.caller !== undefined && wanted.has(`${subject.caller.namespace}/${subject.caller.serviceAccount}`)
  },
  has: (subject) =>
    subject.caller === undefined ? anonymous : `${subject.caller.namespace}/${subject.caller.serviceAccount}`,
}

export const principals = strings<Subject>('principal', (subject) => subject.caller?.principal)
export const namespaces = strings<Subject>('namespace', (subject) => subject.caller?.namespace)
export const sourceAddresses = blocks<Subject>((subject) => subject.ip)
export const destinationAddresses = blocks<Subject>((subject) => subject.destinationIp)
