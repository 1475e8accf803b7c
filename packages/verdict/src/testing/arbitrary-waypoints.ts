import type { Resource } from '@bulkhead/resources'
import fc from 'fast-check'
import * as make from './objects.js'

/*
 * Test code: random small clusters with waypoints. Two namespaces in the mesh and one outside, a gateway, two waypoints;
 * who names which of them, and for what, is left to chance. Their walls are in arbitrary-walls.ts, what is called in them
 * in arbitrary-calls.ts; all are small worlds, so that policies and calls often meet.
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
const seldomNaming = fc.oneof({ weight: 2, arbitrary: fc.constant<Labels>({}) }, { weight: 1, arbitrary: naming })
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
  /** A route of the Service itself. */
  readonly routed: boolean
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
  routed: oneOf(...Array.from({ length: 15 }, () => false), true),
})
/** Not drawn to the ends of its lists, as values are by default: what comes first is no rarer than the rest. */
export const cluster = fc.noBias(anyCluster)

const up: RandomWaypoint = { state: 'up', serves: {}, allowed: {} }

/** Everybody goes by the waypoint to a/web, the gateway as well. */
export const everybodyByWaypoint: fc.Arbitrary<RandomCluster> = fc.noBias(
  oneOf({ name: 'http' }, { name: 'http' }, { name: 'web' }, { name: 'tcp' }).map((port) => ({
    ...{ a: {}, b: {}, db: {}, empty: {}, plain: {}, far: {}, ofWebPod: {}, ofDbPod: {} },
    web: { [use]: 'wp', [byIngress]: 'true' },
    port,
    otherPort: { name: 'other' },
    here: up,
    there: up,
    routed: false,
  })),
)

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

const ofService = make.httpRoute('a/split', '', {
  parentRefs: [{ group: '', kind: 'Service', name: 'web' }],
  rules: [{ backendRefs: [{ name: 'plain', port: 80 }] }],
})

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
    ...(of.routed ? [ofService] : []),
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
