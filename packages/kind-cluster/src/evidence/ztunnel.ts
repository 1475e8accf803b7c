import type { Sighting } from '@bulkhead/scenarios'
import { addressOf, jsonOf, longestLine, present, textOf, timeOf } from './fields.js'

/**
 * A line of ztunnel's access log, in its text or its JSON form: one for each connection, at its end. The destination's ztunnel
 * says which policy refused; the source's only that it was refused, or could not get through.
 * Source of the forms: ztunnel 1.30, src/telemetry.rs, src/proxy/metrics.rs and the errors of src/proxy.rs.
 */
export function ztunnelSighting(line: string): Sighting | undefined {
  const fields = line.startsWith('{') ? jsonFields(line) : textFields(line)
  const at = timeOf(fields?.get('time'))
  if (fields === undefined || at === undefined) return undefined
  const of = (name: string): string | undefined => textOf(fields.get(name))
  const source = addressOf(of('src.addr'))
  const inside = addressOf(of('dst.hbone_addr'))
  const dialled = addressOf(of('dst.addr'))
  const destination = inside ?? dialled
  if (source === undefined && destination === undefined) return undefined
  const error = of('error')
  // The end of a line may be missing, and with it the error.
  if (error === undefined && of('level') !== 'info') return undefined
  const service = serviceName(of('dst.service'))
  return {
    by: 'ztunnel',
    at,
    ...(error === undefined ? { outcome: 'allow' as const } : meaningOf(error)),
    source: present({
      workload: inNamespace(of('src.namespace'), of('src.workload')),
      identity: of('src.identity'),
      ip: source?.ip,
    }),
    destination: present({
      workload: inNamespace(of('dst.namespace'), of('dst.workload')),
      ...(service === undefined ? {} : { service }),
      ip: (dialled ?? destination)?.ip,
      port: destination?.port,
    }),
    line,
  }
}

type Meaning = Pick<Sighting, 'outcome' | 'code' | 'policy'>

/** PeerAuthentication reaches ztunnel as a deny policy of istiod's making: the mesh's strict mode, or one of a workload's ports. */
const strict = /^istio_converted_static_strict$/
const converted = /^converted_peer_authentication_(.+)$/

/** What an error says of why. What only the other end knows, or nobody, has no code. */
export function meaningOf(error: string): Meaning {
  const rejected = /policy rejection: (.*)$/s.exec(error)?.[1]
  if (rejected !== undefined) return rejection(rejected)
  return meanings.find(([words]) => words.test(error))?.[1] ?? { outcome: 'unknown' }
}

function rejection(words: string): Meaning {
  const named = /^explicitly denied by: ([^/\s]+)\/(\S+)$/.exec(words)
  if (named === null) {
    return /none allowed/.test(words) ? { outcome: 'deny', code: 'authz.no-rule-allows' } : { outcome: 'deny' }
  }
  const [, namespace = '', name = ''] = named
  if (strict.test(name)) return { outcome: 'deny', code: 'mtls.strict-no-identity' }
  const own = converted.exec(name)?.[1]
  if (own !== undefined) {
    return { outcome: 'deny', code: 'mtls.strict-no-identity', policy: `PeerAuthentication/${namespace}/${own}` }
  }
  return { outcome: 'deny', code: 'authz.rule-denies', policy: `AuthorizationPolicy/${namespace}/${name}` }
}

const denied = (code?: string): Meaning => ({ outcome: 'deny', ...(code === undefined ? {} : { code }) })

const meanings: readonly (readonly [RegExp, Meaning])[] = [
  // The far end's refusal: its own log has the reason.
  [/^http status: 401\b/, denied()],
  [/connection closed due to policy change/, denied()],
  [/^ip mismatch: /, denied('hbone.wrong-target')],
  [/attempted recursive call to ourselves/, denied('hbone.own-port')],
  [/^tls error: .*(?:\bexpired\b|CertificateExpired)/i, denied('hbone.expired-certificate')],
  [/^tls error: .*(?:UnknownIssuer|UnknownCA)/, denied('hbone.untrusted-certificate')],
  [/^tls error: .*(?:BadSignature|DecryptError|invalid signature)/i, denied('hbone.stolen-certificate')],
  [
    /^tls error: .*(?:peer sent no certificates|NoCertificatesPresented|CertificateRequired)/,
    denied('hbone.no-certificate'),
  ],
  [/^(?:tls error|http2 handshake failed): /, denied()],
  [/^no healthy upstream: /, denied('network.no-endpoint')],
  [/^(?:connection failed|io error): .*Connection refused/, denied('network.nothing-listens')],
  // `maybe a NetworkPolicy is blocking`: ztunnel's guess. Who dropped it is for Hubble to say.
  [/^connection timed out, maybe a NetworkPolicy/, { outcome: 'unknown' }],
]

function inNamespace(namespace: string | undefined, name: string | undefined): string | undefined {
  return namespace === undefined || name === undefined ? undefined : `${namespace}/${name}`
}

/** `web-api.shop.svc.cluster.local`, with which several may stand, separated by commas. */
function serviceName(text: string | undefined): string | undefined {
  const found = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc\b/.exec(text ?? '')
  return found === null ? undefined : `${found[2]}/${found[1]}`
}

function jsonFields(line: string): ReadonlyMap<string, unknown> | undefined {
  const json = jsonOf(line)
  return json?.scope === 'access' ? new Map(Object.entries(json)) : undefined
}

const head = /^(\d{4}-\d\d-\d\dT\S+)\s+(trace|debug|info|warn|error)\s+access\s+connection \w+\s*/
/** A value is in quotes, with escapes as Rust writes them, or goes to the next blank. */
const field = /([a-z_]+(?:\.[a-z_]+)?)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]\S*|))(?:\s+|$)/y

function textFields(line: string): ReadonlyMap<string, string> | undefined {
  if (line.length > longestLine) return undefined
  const start = head.exec(line)
  if (start === null) return undefined
  const fields = new Map([
    ['time', start[1] ?? ''],
    ['level', start[2] ?? ''],
  ])
  field.lastIndex = start[0].length
  // What cannot be read ends it: half a line must not be taken for a whole one.
  while (field.lastIndex < line.length) {
    const found = field.exec(line)
    if (found === null) return undefined
    const [, name = '', quoted, plain = ''] = found
    fields.set(name, quoted === undefined ? plain : quoted.replace(/\\(["\\])/g, '$1'))
  }
  return fields
}
