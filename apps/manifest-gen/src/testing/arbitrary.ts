import fc from 'fast-check'
import { methods } from '../description/words.js'

/** Somebody of k8s, as a description names him. */
interface Known {
  readonly namespace: string
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
  readonly serviceAccount?: string
  readonly port?: number
  readonly waypoint?: string
  readonly service?: string
}

const gthulhu = (component: string, name = 'gthulhu') => ({
  'app.kubernetes.io/name': name,
  'app.kubernetes.io/instance': 'gthulhu',
  'app.kubernetes.io/component': component,
})

/** All of them with an identity. */
export const mayCall: readonly Known[] = [
  { namespace: 'shop', name: 'sleep' },
  { namespace: 'shop', name: 'notsleep' },
  { namespace: 'shop', name: 'web-api' },
  { namespace: 'demo', name: 'hello-app' },
  { namespace: 'demo', name: 'test-pod' },
  { namespace: 'gthulhu', name: 'intruder' },
  { namespace: 'sandbox', name: 'collector' },
  { namespace: 'manifest-gen', name: 'curl-test' },
  { namespace: 'gthulhu', name: 'gthulhu-manager', labels: gthulhu('manager') },
  { namespace: 'gthulhu-node', name: 'gthulhu-scheduler', labels: gthulhu('scheduler'), serviceAccount: 'gthulhu' },
  {
    namespace: 'demo',
    name: 'hello-gateway-istio',
    labels: { 'gateway.networking.k8s.io/gateway-name': 'hello-gateway' },
  },
]

/** Those that listen, and are closed already. */
export const mayBeCalled: readonly Known[] = [
  { namespace: 'demo', name: 'postgres', port: 5432 },
  { namespace: 'demo', name: 'hello-app', port: 8000 },
  { namespace: 'gthulhu', name: 'gthulhu-mongodb', port: 27017, labels: gthulhu('mongodb', 'mongodb') },
  { namespace: 'gthulhu-node', name: 'gthulhu-scheduler', port: 8080, labels: gthulhu('scheduler') },
  { namespace: 'manifest-gen', name: 'manifest-gen', port: 8080 },
  { namespace: 'shop', name: 'web-api', port: 8080, waypoint: 'waypoint' },
  { namespace: 'shop', name: 'purchase-history', port: 8080, waypoint: 'waypoint' },
  { namespace: 'gthulhu', name: 'gthulhu-manager', port: 8080, labels: gthulhu('manager'), waypoint: 'waypoint' },
]

const requests = fc.record(
  {
    methods: fc.uniqueArray(fc.constantFrom(...methods), { minLength: 1, maxLength: 3 }),
    paths: fc.uniqueArray(fc.constantFrom('/', '/api/*', '/health', '/v1/manifests', '/*'), {
      minLength: 1,
      maxLength: 2,
    }),
  },
  { requiredKeys: [] },
)

const isShort = ({ labels, serviceAccount, waypoint }: Known): boolean =>
  (labels ?? serviceAccount ?? waypoint) === undefined

const callers = fc.uniqueArray(
  fc.tuple(fc.constantFrom(...mayCall), fc.option(requests, { nil: undefined, freq: 2 }), fc.boolean()),
  { maxLength: 4, selector: ([one]) => mayCall.indexOf(one) },
)

const calls = fc.uniqueArray(
  fc.tuple(fc.constantFrom(...mayBeCalled), fc.option(requests, { nil: undefined }), fc.boolean()),
  { maxLength: 4, selector: ([one]) => mayBeCalled.indexOf(one) },
)

/** Where it is to be: a namespace that there is, with or without a waypoint that may be shared, or one of its own. */
const place = fc.constantFrom(
  { namespace: 'demo' },
  { namespace: 'shop' },
  { namespace: 'shop', waypoint: 'waypoint' },
  { namespace: 'gthulhu' },
  { namespace: 'gthulhu', waypoint: 'waypoint' },
  { namespace: 'gthulhu-node' },
  { namespace: 'manifest-gen' },
  { namespace: 'quarry', newNamespace: true },
  { namespace: 'quarry', newNamespace: true, hosts: ['api.github.com', 'api.cloudflare.com'] },
)

/** Descriptions that hold: anybody of k8s may be a caller or be called, with requests or without, at any port. */
export const descriptions: fc.Arbitrary<Readonly<Record<string, unknown>>> = fc
  .record({
    place,
    name: fc.constantFrom('worker-app', 'w', 'a-name-of-fifty-four-characters-which-is-as-long-as-is'),
    callers,
    calls,
    port: fc.constantFrom(8080, 8000, 443, 27017, undefined),
    servicePort: fc.constantFrom(80, 8080, undefined),
    tcp: fc.boolean(),
    replicas: fc.constantFrom(1, 2),
  })
  .map(({ place: { waypoint, ...where }, name, callers: may, calls: called, port, servicePort, tcp, replicas }) => {
    const listed = port === undefined ? [] : may
    const limited = listed.some(([, limits]) => limits !== undefined && Object.keys(limits).length > 0)
    return {
      name,
      ...where,
      image: 'localhost/bulkhead/probe:0.1.0',
      replicas,
      ...(port !== undefined && {
        port,
        ...(servicePort !== undefined && { servicePort }),
        ...(tcp && !limited && waypoint === undefined && { protocol: 'tcp' }),
        ...(waypoint !== undefined && { waypoint }),
      }),
      callers: listed.map(([{ port: _, waypoint: __, ...one }, limits = {}, short]) =>
        short && isShort(one) && Object.keys(limits).length === 0
          ? `${one.namespace}/${one.name}`
          : { ...one, ...limits },
      ),
      calls: called.map(([one, limits = {}, short]) =>
        short && isShort(one)
          ? `${one.namespace}/${one.name}:${one.port}`
          : { ...one, ...(one.waypoint !== undefined && limits) },
      ),
    }
  })
