import type { AuthorizationPolicy, PeerAuthentication, Resource } from '@bulkhead/resources'
import fc from 'fast-check'
import { ruleOver } from './arbitrary-requests.js'
import * as make from './objects.js'

/*
 * Test code: random small clusters with waypoints, and what is called in them. Two namespaces in the mesh and one outside,
 * a gateway, two waypoints; who names which of them, and for what, is left to chance. Small worlds, so that policies and
 * calls often meet.
 */

const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)

type Labels = Readonly<Record<string, string>>

const use = 'istio.io/use-waypoint'
const usedOf = 'istio.io/use-waypoint-namespace'
const byIngress = 'istio.io/ingress-use-waypoint'

/** What somebody says of waypoints: mostly the one of his own namespace. */
const naming = oneOf<Labels>(
  ...Array.from({ length: 14 }, () => ({ [use]: 'wp' })),
  { [use]: 'wp', [usedOf]: 'b' },
  { [use]: 'wp', [usedOf]: 'b' },
  { [use]: 'wp', [usedOf]: 'a' },
  { [use]: 'none' },
  { [use]: 'bogus' },
  { [usedOf]: 'b' },
  {},
)
const seldomNaming = fc.oneof({ weight: 3, arbitrary: fc.constant<Labels>({}) }, { weight: 1, arbitrary: naming })
const ingress = oneOf<Labels>(
  { [byIngress]: 'true' },
  { [byIngress]: 'true' },
  { [byIngress]: 'true' },
  { [byIngress]: 'false' },
  {},
)
const together = (...parts: readonly fc.Arbitrary<Labels>[]): fc.Arbitrary<Labels> =>
  fc.tuple(...parts).map((all) => Object.assign({}, ...all))

export type WaypointState = 'up' | 'not yet' | 'never' | 'died' | 'absent'

export interface RandomWaypoint {
  readonly state: WaypointState
  readonly serves: Labels
  readonly allowed: object
}

const waypoint: fc.Arbitrary<RandomWaypoint> = fc.record({
  state: oneOf<WaypointState>(...Array.from({ length: 24 }, () => 'up' as const), 'not yet', 'never', 'died', 'absent'),
  serves: oneOf('', '', '', '', '', 'service', 'service', 'all', 'all', 'all', 'all', 'workload', 'none').map(
    (what): Labels => (what === '' ? {} : { 'istio.io/waypoint-for': what }),
  ),
  allowed: oneOf<object>(
    {},
    {},
    { from: 'Same' },
    { from: 'All' },
    { from: 'All' },
    { from: 'Selector', selector: { matchLabels: { team: 'red' } } },
    { from: 'Selector', selector: { matchLabels: { team: 'blue' } } },
  ).map((namespaces) => (Object.keys(namespaces).length === 0 ? {} : { allowedRoutes: { namespaces } })),
})

/** How the ports of a Service are called, and so what they are taken for. */
const portName = oneOf<object>(
  { name: 'http' },
  { name: 'http-web' },
  { name: 'web' },
  { name: 'grpc-api' },
  { name: 'tcp-web' },
  { name: 'web', appProtocol: 'http' },
  { name: 'http', appProtocol: 'tcp' },
  { name: 'tcp', appProtocol: 'kubernetes.io/h2c' },
  { name: 'mongo' },
)

export interface RandomCluster {
  readonly a: Labels
  readonly b: Labels
  readonly web: Labels
  readonly db: Labels
  readonly empty: Labels
  readonly plain: Labels
  readonly far: Labels
  readonly ofWebPod: Labels
  readonly ofDbPod: Labels
  readonly port: object
  readonly otherPort: object
  readonly here: RandomWaypoint
  readonly there: RandomWaypoint
}

const anyCluster: fc.Arbitrary<RandomCluster> = fc.record({
  a: together(
    seldomNaming,
    fc.oneof({ weight: 3, arbitrary: fc.constant<Labels>({}) }, { weight: 1, arbitrary: ingress }),
  ),
  b: seldomNaming,
  web: together(naming, ingress),
  db: naming,
  empty: together(naming, ingress),
  plain: together(naming, ingress),
  far: naming,
  ofWebPod: seldomNaming,
  ofDbPod: seldomNaming,
  port: portName,
  otherPort: portName,
  here: waypoint,
  there: waypoint,
})
/** Not drawn to the ends of its lists, as values are by default: what comes first is no rarer than the rest. */
export const cluster = fc.noBias(anyCluster)

function service(key: string, labels: Labels, app: string, ports: readonly object[], rest: object = {}): Resource {
  const [namespace = '', name = ''] = key.split('/')
  return make.resource({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels },
    spec: { selector: { app }, ports, ...rest },
  } as Parameters<typeof make.resource>[0])
}

function proxy(key: string, { state, serves, allowed }: RandomWaypoint): Resource[] {
  if (state === 'absent') return []
  const listeners = [{ name: 'mesh', port: 15008, protocol: 'HBONE', ...allowed }]
  const gone = state === 'never' || state === 'died'
  const parametersRef = { group: '', kind: 'ConfigMap', name: 'gone' }
  const spec = { gatewayClassName: 'istio-waypoint', listeners, ...(gone && { infrastructure: { parametersRef } }) }
  return [make.gateway(key, spec, { labels: serves })]
}

const gone = (namespace: string): Resource =>
  make.resource({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'gone', namespace },
    data: { deployment: 'spec: {replicas: 0}' },
  } as Parameters<typeof make.resource>[0])

const ambient = { 'istio.io/dataplane-mode': 'ambient' }
const webPorts = [
  { name: 'main', containerPort: 8080 },
  { name: 'other', containerPort: 9000 },
]

export function clusterResources(of: RandomCluster): Resource[] {
  const routes = ['web', 'plain', 'empty'].map((name) => ({
    matches: [{ path: { type: 'PathPrefix' as const, value: name === 'web' ? '/' : `/${name}` } }],
    backendRefs: [{ name, port: 80 }],
  }))
  return [
    make.namespace('a', { ...ambient, team: 'red', ...of.a }),
    make.namespace('b', { ...ambient, team: 'blue', ...of.b }),
    make.namespace('c'),
    make.workload('a/web', { labels: { app: 'web', ...of.ofWebPod }, ports: webPorts }),
    make.workload('a/db', { labels: { app: 'db', ...of.ofDbPod }, ports: [{ containerPort: 5432 }] }),
    make.workload('a/plain', { labels: { app: 'plain', 'istio.io/dataplane-mode': 'none' }, ports: webPorts }),
    make.workload('a/api', { labels: { app: 'api' }, serviceAccount: 'web' }),
    make.workload('b/web', { labels: { app: 'web' }, ports: webPorts }),
    make.workload('b/api', { labels: { app: 'api' } }),
    make.workload('c/api', { labels: { app: 'api' } }),
    service('a/web', of.web, 'web', [
      { ...of.port, port: 80, targetPort: 'main' },
      { ...of.otherPort, name: `${(of.otherPort as { name: string }).name}-too`, port: 9090, targetPort: 9000 },
      { name: 'another', port: 3306, targetPort: 8080 },
    ]),
    service('a/db', of.db, 'db', [{ name: 'sql', port: 5432 }]),
    service('a/db-each', of.db, 'db', [{ name: 'sql', port: 5432 }], { clusterIP: 'None' }),
    service('a/empty', of.empty, 'nobody', [{ ...of.port, port: 80, targetPort: 8080 }]),
    service('a/plain', of.plain, 'plain', [{ ...of.port, port: 80, targetPort: 8080 }]),
    service('b/web', of.far, 'web', [{ ...of.port, port: 80, targetPort: 8080 }]),
    make.gateway('a/gw', { listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] }),
    make.httpRoute('a/routes', 'gw', { hostnames: ['shop.example', '*.wild.example'], rules: routes }),
    gone('a'),
    gone('b'),
    ...proxy('a/wp', of.here),
    ...proxy('b/wp', of.there),
  ]
}

export function readyOnce({ here, there }: RandomCluster): ReadonlySet<string> {
  const been = ({ state }: RandomWaypoint): boolean => state === 'up' || state === 'died'
  return new Set([...(been(here) ? ['a/wp'] : []), ...(been(there) ? ['b/wp'] : [])])
}

// Policies

const blocks = ['10.244.0.0/16', '10.0.7.9', '10.96.0.0/12', '203.0.113.0/24', '0.0.0.0/0']
const principals = [
  'cluster.local/ns/a/sa/web',
  'cluster.local/ns/b/sa/api',
  'cluster.local/ns/a/sa/wp',
  'cluster.local/ns/a/sa/gw-istio',
  'mesh.example/ns/b/sa/api',
  '*/sa/api',
  'cluster.local/*',
  '*',
]
const accounts = ['a/web', 'web', 'wp', 'b/api', 'a/gw-istio', 'b/wp']
const ports = ['80', '8080', '9090', '5432', '15008', 'http']
const values: Readonly<Record<string, readonly string[]>> = {
  principals,
  namespaces: ['a', 'a*', '*', 'b'],
  serviceAccounts: accounts,
  trustDomains: ['cluster.local', 'mesh.example', '*'],
  ipBlocks: blocks,
  remoteIpBlocks: blocks,
  requestPrincipals: ['issuer/*', '*'],
  ports,
  hosts: ['shop.example', 'SHOP.example', '*.example', 'shop.*', '*', 'shop.example:*'],
  methods: ['GET', 'P*', '*', 'get', '*T', 'DELETE'],
  paths: [
    ...['/a', '/a*', '*/c', '*', '/A', '/a/b', '/a/', '/a;x', '/a%2Fb', '//a', '/a/b/c', '/a[1]'],
    ...['/a/{*}', '/{**}', '/a/{*}/c', '/a/{**}', '/{*}/b', '/{*}/{**}', '/a/{**}/c'],
  ],
  'request.headers[X-Role]': ['admin', 'adm*', '*min', '*'],
  'request.headers[x-forwarded-for]': ['*', '10.0.7.9*'],
  'request.headers[x-forwarded-proto]': ['http', 'https', '*'],
  'request.headers[x-forwarded-client-cert]': ['*'],
  'request.headers[x-request-id]': ['*'],
  'source.ip': blocks,
  'remote.ip': blocks,
  'source.principal': principals,
  'source.namespace': ['a', '*', 'b'],
  'source.serviceAccount': accounts,
  'destination.ip': ['10.96.0.0/12', '10.244.0.0/16'],
  'destination.port': ports,
  'connection.sni': ['*', 'shop.example'],
  'request.auth.principal': ['*'],
  'request.auth.claims[iss]': ['x'],
}

const rule = ruleOver(values, 1)

const group = 'gateway.networking.k8s.io'
const onService = (name: string): object => ({ targetRefs: [{ group: '', kind: 'Service', name }] })
const onWaypoint = { targetRefs: [{ group, kind: 'Gateway', name: 'wp' }] }
const attachment = oneOf<object>(
  ...Array.from({ length: 12 }, () => onService('web')),
  onService('db'),
  onService('db'),
  onService('plain'),
  ...Array.from({ length: 10 }, () => onWaypoint),
  { targetRefs: [{ group, kind: 'GatewayClass', name: 'istio-waypoint' }] },
  { targetRefs: [{ group, kind: 'GatewayClass', name: 'istio' }] },
  { targetRefs: [{ group, kind: 'Gateway', name: 'gw' }] },
  { targetRefs: [{ group: '', kind: 'Service', name: 'other' }, ...onWaypoint.targetRefs] },
  { selector: { matchLabels: { app: 'web' } } },
  { selector: { matchLabels: { app: 'db' } } },
  { selector: { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'wp' } } },
  {},
)

type Spec = NonNullable<AuthorizationPolicy['spec']>

export interface RandomAttached {
  readonly namespace: string
  readonly dryRun: boolean
  readonly spec: Spec
}

/** Without `undefined` in it, as YAML has it. */
const written = <T>(value: unknown): T => JSON.parse(JSON.stringify(value)) as T

const authorization: fc.Arbitrary<RandomAttached> = fc
  .record({
    namespace: oneOf(...Array.from({ length: 9 }, () => 'a'), 'b', 'b', 'istio-system'),
    dryRun: oneOf(...Array.from({ length: 11 }, () => false), true),
    action: oneOf('ALLOW', 'ALLOW', 'ALLOW', 'ALLOW', 'DENY', 'DENY', 'AUDIT', 'CUSTOM', undefined),
    attachment,
    rules: fc.option(fc.array(rule, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 12 }),
  })
  .map(({ namespace, dryRun, action, attachment: where, rules }) => ({
    namespace,
    dryRun,
    spec: written<Spec>({ action, ...where, rules }),
  }))

type PeerSpec = NonNullable<PeerAuthentication['spec']>
const peers = oneOf<PeerSpec | undefined>(
  undefined,
  undefined,
  undefined,
  undefined,
  { mtls: { mode: 'STRICT' } },
  { mtls: { mode: 'PERMISSIVE' } },
)

const ofWaypoint = { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'wp' } }
const hbone = [{ port: 15008 }]
type NetworkSpec = Parameters<typeof make.networkPolicy>[1]
const network = oneOf<NetworkSpec>(
  {},
  { ingress: [{ ports: hbone }] },
  { podSelector: { matchLabels: { app: 'web' } }, ingress: [{ from: [{ podSelector: ofWaypoint }], ports: hbone }] },
  { podSelector: { matchLabels: { app: 'web' } }, ingress: [{ from: [{ podSelector: {} }], ports: hbone }] },
  {
    podSelector: ofWaypoint,
    ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'blue' } } }], ports: hbone }],
  },
  { podSelector: ofWaypoint, policyTypes: ['Egress'], egress: [{ ports: hbone }] },
  {
    podSelector: ofWaypoint,
    policyTypes: ['Egress'],
    egress: [{ to: [{ podSelector: { matchLabels: { app: 'db' } } }] }],
  },
  { podSelector: { matchLabels: { app: 'api' } }, policyTypes: ['Egress'], egress: [{ ports: [{ port: 8080 }] }] },
  {
    podSelector: { matchLabels: { app: 'api' } },
    policyTypes: ['Egress'],
    egress: [{ to: [{ podSelector: ofWaypoint }] }],
  },
)

export interface RandomWalls {
  readonly authorizations: readonly RandomAttached[]
  readonly networks: readonly { readonly namespace: string; readonly spec: NetworkSpec }[]
  readonly peers: PeerSpec | undefined
}

const anyWalls: fc.Arbitrary<RandomWalls> = fc.record({
  authorizations: fc.array(authorization, { minLength: 1, maxLength: 4 }),
  networks: fc.oneof(
    { weight: 5, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.record({ namespace: oneOf('a', 'a', 'b'), spec: network }), { maxLength: 2 }) },
  ),
  peers,
})
export const walls = fc.noBias(anyWalls)

export function networkResources({ networks }: RandomWalls): Resource[] {
  return networks.map(({ namespace, spec }, index) => make.networkPolicy(`${namespace}/n${index}`, spec))
}

export function meshResources({ authorizations, peers: spec }: RandomWalls): Resource[] {
  return [
    ...authorizations.map(({ namespace, dryRun, spec: one }, index) =>
      make.authorizationPolicy(`${namespace}/p${index}`, one, {
        ...(dryRun && { annotations: { 'istio.io/dry-run': 'true' } }),
      }),
    ),
    ...(spec === undefined ? [] : [make.peerAuthentication('istio-system/all', spec)]),
  ]
}

// Calls

export interface RandomCall {
  /** `namespace/name` of a workload, or an address outside. */
  readonly from: string
  readonly to: { readonly service: string } | { readonly gateway: string } | { readonly workload: string }
  readonly port: number
  readonly request?: {
    readonly method: string
    readonly host: string
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
  }
}

const segment = oneOf(
  ...['a', 'a', 'a', 'b', 'b', 'c', 'A', '', '.', '..', '%2e', '%2E%2e', '.%2e', '...', 'a;x', 'a%2Fb', 'a%2fb'],
  ...['%61', '%41', 'a%5Cb', 'a[1]', 'a*', 'a{*}', 'a|b', 'a%7E', '%7e', 'a%20b', 'plain', 'empty'],
)
const path = fc
  .tuple(
    fc.array(fc.tuple(oneOf('/', '/', '/', '/', '/', '//', '\\'), segment), { minLength: 1, maxLength: 4 }),
    oneOf(...Array.from({ length: 16 }, () => ''), '/', '/', '?x=/b', '?x=../c', '#a', '?a#/b', '%00', ' '),
  )
  .map(([parts, end]) => `${parts.flat().join('')}${end}`.replace(/^[^/]+/, '') || '/')

const request = fc.record({
  method: oneOf('GET', 'GET', 'GET', 'GET', 'GET', 'POST', 'POST', 'PUT', 'DELETE', 'DELETE', 'get'),
  host: oneOf(
    'shop.example',
    'shop.example',
    'shop.example',
    'Shop.Example',
    'shop.example:80',
    'x.wild.example',
    'other',
  ),
  path: fc.oneof(
    { weight: 1, arbitrary: path },
    { weight: 1, arbitrary: oneOf('/', '/a', '/a/b', '/a/b/c', '/plain', '/empty/a') },
  ),
  headers: oneOf<Record<string, string>>(
    {},
    {},
    { 'X-Role': 'admin' },
    { 'x-role': '' },
    { 'x-role': 'user', 'x-forwarded-proto': 'https', 'x-request-id': '1' },
    { 'x-forwarded-for': '10.0.7.9' },
    { 'X-Forwarded-For': '10.0.7.9, 203.0.113.9' },
    { 'x-forwarded-for': '10.0.7.9, unknown' },
    { 'x-forwarded-client-cert': 'By=spiffe://cluster.local/ns/a/sa/web' },
  ),
})

const insiders = oneOf('a/api', 'a/api', 'a/api', 'b/api', 'b/api', 'b/api', 'b/api', 'c/api', 'a/plain')
const outsider = '203.0.113.7'

const toServices = oneOf(
  ...[80, 80, 9090, 3306].map((port) => ({ to: { service: 'a/web' }, port })),
  ...[80, 80, 80, 80].map((port) => ({ to: { service: 'a/web' }, port })),
  { to: { service: 'a/db' }, port: 5432 },
  { to: { service: 'a/db-each' }, port: 5432 },
  { to: { service: 'a/empty' }, port: 80 },
  { to: { service: 'a/plain' }, port: 80 },
  { to: { service: 'b/web' }, port: 80 },
)
const toPods = oneOf(
  { to: { workload: 'a/web' }, port: 8080 },
  { to: { workload: 'a/web' }, port: 9000 },
  { to: { workload: 'a/db' }, port: 5432 },
  { to: { workload: 'b/web' }, port: 8080 },
)

const byInsiders = fc
  .record({
    from: insiders,
    where: fc.oneof({ weight: 4, arbitrary: toServices }, { weight: 1, arbitrary: toPods }),
    request,
  })
  .map(({ from, where, request: asked }): RandomCall => ({ from, ...where, request: asked }))
const byOutsiders = fc.oneof(
  {
    weight: 5,
    arbitrary: request.map(
      (asked): RandomCall => ({ from: outsider, to: { gateway: 'a/gw' }, port: 80, request: asked }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(toPods, request)
      .map(([where, asked]): RandomCall => ({ from: outsider, ...where, request: asked })),
  },
)

const anyCall: fc.Arbitrary<RandomCall> = fc
  .oneof({ weight: 3, arbitrary: byInsiders }, { weight: 1, arbitrary: byOutsiders })
  .filter(({ from, to }) => !('service' in to && to.service === from))
export const call = fc.noBias(anyCall)
