import {
  type AttributeKind,
  blocks,
  destinationAddresses,
  type Invalid,
  ports,
  principals,
  serviceAccounts,
  sourceAddresses,
  strings,
} from '../policy/attributes.js'
import { type Pattern, stringPattern } from '../policy/texts.js'
import { isTemplate, templateTest } from './path-template.js'
import { type HttpSubject, headerReader } from './subject.js'

type Kind = AttributeKind<HttpSubject>
type Kinds = Readonly<Record<string, Kind>>

/** As other strings, except that `*` takes what is there, if only an empty text: Envoy asks whether the header is there. */
const headerPattern = (value: string): Pattern => (value === '*' ? { by: 'start', text: '' } : stringPattern(value))

/** Case-insensitive, with the port if the client sent one (C.6). */
const hosts = strings<HttpSubject>(
  'host',
  ({ host }) => host,
  (value) => headerPattern(value.toLowerCase()),
  'no host',
)

const methods = strings<HttpSubject>('method', ({ method }) => method, headerPattern)

/** Case-sensitive, normalised, without the query (C.6). */
const paths = strings<HttpSubject>('path', ({ path }) => path, pathPattern, 'no path')

function pathPattern(value: string, invalid: Invalid): Pattern {
  if (!isTemplate(value)) return stringPattern(value)
  // What stands before the first operator is compared faster than an expression is run.
  const start = value.slice(0, value.indexOf('{'))
  return { by: 'start', text: start, further: templateTest(value) ?? invalid(value, 'a path template') }
}

/** Envoy reads a namespace out of the identity with an expression in which every star is one. */
const namespaces = strings<HttpSubject>('namespace', ({ caller }) => caller?.namespace, starPattern)

function starPattern(value: string): Pattern {
  if (!value.includes('*')) return { by: 'whole', text: value }
  const source = value
    .split('*')
    .map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'))
    .join('.*')
  const expression = new RegExp(`^${source}$`)
  return { by: 'start', text: value.slice(0, value.indexOf('*')), further: (text) => expression.test(text) }
}

const remoteAddresses = blocks<HttpSubject>(({ remoteIp }) => remoteIp)
/** No RequestAuthentication applies, so nobody has read a token: there are no claims, whatever the request carries. */
const noClaims = strings<HttpSubject>('claim', () => undefined, stringPattern, 'no token that was checked')
/** No TLS at the listener, so no name was asked for. */
const noServerName = strings<HttpSubject>('server name', () => undefined, stringPattern, 'no TLS')

/** The attributes that Envoy reads, at a waypoint or a gateway: of a source, of an operation, and as keys of `when`. */
export const sourceKinds: Kinds = {
  principals,
  namespaces,
  serviceAccounts,
  trustDomains: strings('trust domain', ({ caller }) => caller?.trustDomain),
  ipBlocks: sourceAddresses,
  remoteIpBlocks: remoteAddresses,
  requestPrincipals: noClaims,
}
export const operationKinds: Kinds = { ports, hosts, methods, paths }
const conditionKinds: Kinds = {
  'source.ip': sourceAddresses,
  'remote.ip': remoteAddresses,
  'source.namespace': namespaces,
  'source.principal': principals,
  'source.serviceAccount': serviceAccounts,
  'destination.ip': destinationAddresses,
  'destination.port': ports,
  'connection.sni': noServerName,
  'request.auth.principal': noClaims,
  'request.auth.audiences': noClaims,
  'request.auth.presenter': noClaims,
}

/** Attributes that need a token which somebody checked. */
export function isClaim(name: string): boolean {
  return name === 'requestPrincipals' || name.startsWith('request.auth.')
}

/** Attributes of requests: there are none of these where a connection carries no HTTP. */
export function isHttp(name: string): boolean {
  return (
    ['hosts', 'methods', 'paths'].includes(name) ||
    isClaim(name) ||
    (name.startsWith('request.') && conditionKind(name) !== undefined)
  )
}

/** Attributes that the proxy's own topology decides over. */
export function isRemote(name: string): boolean {
  return name === 'remoteIpBlocks' || name === 'remote.ip'
}

/** Undefined for a key that the engine does not know. */
export function conditionKind(key: string): Kind | undefined {
  const header = /^request\.headers\[(.+)\]$/.exec(key)?.[1]?.toLowerCase()
  if (header !== undefined) return strings(`header ${header}`, headerReader(header), headerPattern, 'no such header')
  if (key.startsWith('request.auth.claims[')) return noClaims
  return Object.hasOwn(conditionKinds, key) ? conditionKinds[key] : undefined
}
