import { parseAddress } from '../model/addresses.js'
import type { Flow, FlowDestination, FlowSource } from '../types.js'
import { FlowError, quote } from './errors.js'
import {
  anything,
  fields,
  flag,
  listOf,
  matching,
  needed,
  objectAt,
  oneOf,
  recordOf,
  type Shape,
  text,
  wholeNumber,
} from './shape.js'

const address = matching((value) => parseAddress(value) !== undefined, 'an IP address')
/** Letters, digits, `-` and `_` between dots; a trailing dot makes it absolute. */
const hostName = /^(?=.{1,254}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i
const host = matching(
  (value) => hostName.test(value) || parseAddress(value) !== undefined,
  'a host name or an IP address',
)
const qualified = matching((value) => /^[^/\s]+\/[^/\s]+$/.test(value), 'namespace/name')
const port = wholeNumber(1, 65535)
const protocol = oneOf('TCP', 'UDP', 'SCTP', 'ICMP')

const describedPod = {
  namespace: text,
  labels: recordOf<string>((value, place) => matching(() => true, 'a text')(value, place)),
  serviceAccount: text,
  ip: address,
  mesh: flag,
}
const describedPort = fields({ name: text, port, protocol })

/** Each way to say who, by the field that tells it apart. */
const sources: Readonly<Record<string, Shape<unknown>>> = {
  workload: fields({ workload: qualified, node: text }),
  external: fields({ external: address }),
  node: fields({ node: text }),
  labels: fields({ ...describedPod, hostNetwork: flag }),
}
const destinations: Readonly<Record<string, Shape<unknown>>> = {
  service: fields({ service: qualified }),
  workload: fields({ workload: qualified }),
  host: fields({ host, ip: address }),
  node: fields({ node: text }),
  labels: fields({
    ...describedPod,
    ports: listOf((value, place) => {
      const read = describedPort(value, place)
      return { ...read, port: needed(read.port, `${place}.port`, 'a port') }
    }),
  }),
  ip: fields({ ip: address }),
}

function oneForm(forms: Readonly<Record<string, Shape<unknown>>>, value: unknown, place: string): unknown {
  const written = objectAt(value, place)
  const [form] = Object.keys(forms).filter((key) => written[key] !== undefined)
  const shape = form === undefined ? undefined : forms[form]
  if (shape === undefined) {
    // A misspelt word is named before a missing one.
    const words = new Set([...Object.keys(forms), 'namespace', 'serviceAccount', 'mesh', 'hostNetwork', 'ports'])
    const strange = Object.keys(written).find((key) => !words.has(key))
    if (strange !== undefined)
      throw new FlowError('flow.unknown-field', `${quote(`${place}.${strange}`)} is no field of a flow`)
    throw new FlowError(
      'flow.invalid',
      `${quote(place)} must have one of ${Object.keys(forms).join(', ')}, not ${quote(value)}`,
    )
  }
  const read = shape(written, place)
  if (form === 'labels') needed(written.namespace, `${place}.namespace`, 'a namespace')
  return read
}

const shape = fields({
  id: text,
  from: (value, place) => oneForm(sources, value, place) as FlowSource,
  to: (value, place) => oneForm(destinations, value, place) as FlowDestination,
  port: wholeNumber(0, 65535),
  protocol,
  http: fields({ method: text, path: text, host: text, headers: recordOf(text), claims: recordOf(anything) }),
  tls: fields({ sni: text }),
  dns: fields({ query: text }),
  certificate: oneOf('none', 'self-signed', 'expired', 'other-domain', 'stolen'),
})

/** A flow out of any data, or a FlowError that names the field and quotes its value. */
export function readFlow(value: unknown): Flow {
  const { from, to, port: wanted, http, dns, ...rest } = shape(value, '')
  const given = rest.protocol === 'ICMP' ? (wanted ?? 0) : port(wanted, 'port')
  return {
    ...rest,
    from: needed(from, 'from', 'an object'),
    to: needed(to, 'to', 'an object'),
    port: given,
    ...(dns && { dns: { query: needed(dns.query, 'dns.query', 'a name') } }),
    ...(http && {
      http: {
        ...http,
        method: needed(http.method, 'http.method', 'a method'),
        path: needed(http.path, 'http.path', 'a path'),
      },
    }),
  }
}
