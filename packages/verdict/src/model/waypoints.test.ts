import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import type { CompileOptions } from '../api.js'
import { judge } from '../flow/judge.js'
import { nextHop } from '../flow/next-hop.js'
import { ambient, gateway, namespace, resource, service, waypoint, workload } from '../testing/objects.js'
import { compile } from './compile.js'

/* Who goes by which waypoint (semantics C.7; istiod, waypoints.go). */

const use = 'istio.io/use-waypoint'
const where = 'istio.io/use-waypoint-namespace'
const serves = 'istio.io/waypoint-for'
const mesh = { 'istio.io/dataplane-mode': 'ambient' }
const ports = [{ containerPort: 8080 }]

interface Given {
  readonly ofNamespace?: Record<string, string>
  readonly ofService?: Record<string, string>
  readonly ofPod?: Record<string, string>
  readonly headless?: boolean
  readonly waypoints?: readonly Resource[]
  readonly options?: CompileOptions
}

/** What becomes of a call from app/src to Service app/dst, or to its pod. */
function way(given: Given, to: 'service' | 'pod' = 'service', from = 'app/src'): string | undefined {
  const snapshot = compile(
    [
      namespace('app', { ...mesh, ...given.ofNamespace }),
      ambient('infra'),
      namespace('plain'),
      workload('app/src'),
      workload('plain/src'),
      workload('app/dst', { ports, labels: { app: 'dst', ...given.ofPod } }),
      service('app/dst', { targetPort: 8080, labels: given.ofService ?? {}, headless: given.headless === true }),
      ...(given.waypoints ?? [waypoint('app/wp'), waypoint('app/other')]),
    ],
    given.options,
  )
  const pod = (workload: string) =>
    [...snapshot.pods.values()].find((one) => one.workload === workload) ?? assert.fail()
  const called = snapshot.services.get('app/dst') ?? assert.fail()
  const request = { source: pod(from), destination: pod('app/dst'), port: 8080 }
  const next = nextHop(to === 'service' ? { ...request, service: called, servicePort: 80 } : request, snapshot)
  return next.waypoint?.key ?? (next.past && `${next.past.key}: ${next.past.why}`)
}

test('the Service’s own label counts before its namespace’s; `none` opts out', () => {
  assert.equal(way({}), undefined)
  assert.equal(way({ ofService: { [use]: 'wp' } }), 'app/wp')
  assert.equal(way({ ofNamespace: { [use]: 'wp' } }), 'app/wp')
  assert.equal(way({ ofNamespace: { [use]: 'wp' }, ofService: { [use]: 'other' } }), 'app/other')
  assert.equal(way({ ofNamespace: { [use]: 'wp' }, ofService: { [use]: 'none' } }), undefined)
  // A pod's label is for those who call the pod.
  assert.equal(way({ ofPod: { [use]: 'wp' } }), undefined)
})

test('a name that nobody has is as none, and does not fall back to the namespace’s', () => {
  assert.equal(way({ ofService: { [use]: 'bogus' } }), 'app/bogus: missing')
  assert.equal(way({ ofNamespace: { [use]: 'wp' }, ofService: { [use]: 'bogus' } }), 'app/bogus: missing')
})

test('a pod is called through a waypoint for workloads alone', () => {
  const labelled = { ofPod: { [use]: 'wp' } }
  const forWhom = (word: string) => ({ ...labelled, waypoints: [waypoint('app/wp', { [serves]: word })] })
  assert.equal(way(labelled, 'pod'), 'app/wp: pod-address')
  assert.equal(way(forWhom('workload'), 'pod'), 'app/wp')
  assert.equal(way(forWhom('all'), 'pod'), 'app/wp')
  assert.equal(way(forWhom('none'), 'pod'), 'app/wp: pod-address')
  const ofService = { ...forWhom('workload'), ofPod: {}, ofService: { [use]: 'wp' } }
  assert.equal(way(ofService), 'app/wp: service-address')
  assert.equal(way({ ...ofService, waypoints: [waypoint('app/wp', { [serves]: 'all' })] }), 'app/wp')
})

test('who calls the pod behind a Service that names one goes round it, and so does a headless name', () => {
  const ofService = { [use]: 'wp' }
  assert.equal(way({ ofService }, 'pod'), 'app/wp: pod-address')
  assert.equal(way({ ofNamespace: { [use]: 'wp' }, headless: true }), 'app/wp: pod-address')
  assert.equal(way({ ofService: { [use]: 'bogus' } }, 'pod'), undefined)
})

test('a caller outside the mesh goes past', () => {
  assert.equal(way({ ofService: { [use]: 'wp' } }, 'service', 'plain/src'), 'app/wp: not-captured')
  assert.equal(way({ ofService: { [use]: 'wp' } }, 'pod', 'plain/src'), 'app/wp: not-captured')
})

test('one of another namespace: if the first listener lets routes of this one in', () => {
  const ofService = { [use]: 'wp', [where]: 'infra' }
  const of = (allowedRoutes?: object) => {
    const [listener] = [{ name: 'mesh', port: 15008, protocol: 'HBONE', ...(allowedRoutes && { allowedRoutes }) }]
    return [gateway('infra/wp', { gatewayClassName: 'istio-waypoint', listeners: [listener] })]
  }
  assert.equal(way({ ofService, waypoints: of() }), 'infra/wp: not-allowed')
  assert.equal(way({ ofService, waypoints: of({ namespaces: { from: 'All' } }) }), 'infra/wp')
  const chosen = (name: string) =>
    of({ namespaces: { from: 'Selector', selector: { matchLabels: { 'kubernetes.io/metadata.name': name } } } })
  assert.equal(way({ ofService, waypoints: chosen('app') }), 'infra/wp')
  assert.equal(way({ ofService, waypoints: chosen('infra') }), 'infra/wp: not-allowed')
})

test('until it has been ready once it is as none; after that it stays on the way, with or without a pod', () => {
  const ofService = { [use]: 'wp' }
  const none = new Set<string>()
  assert.equal(way({ ofService, options: { waypointsReadyOnce: none } }), 'app/wp: never-ready')
  assert.equal(way({ ofService, options: { waypointsReadyOnce: new Set(['app/wp']) } }), 'app/wp')
})

const zero = [
  resource({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'none', namespace: 'app' },
    data: { deployment: 'spec: {replicas: 0}' },
  }),
  gateway('app/wp', {
    gatewayClassName: 'istio-waypoint',
    listeners: [{ name: 'mesh', port: 15008, protocol: 'HBONE' }],
    infrastructure: { parametersRef: { group: '', kind: 'ConfigMap', name: 'none' } },
  }),
]

test('without replicas it has never been ready, unless it was before; a Gateway that went is forgotten', () => {
  const before = compile([waypoint('app/wp')])
  assert.deepEqual([...before.waypointsReadyOnce], ['app/wp'])
  assert.deepEqual([...compile(zero).waypointsReadyOnce], [])
  const after = compile(zero, { previous: before })
  assert.deepEqual([...after.waypointsReadyOnce], ['app/wp'])
  assert.deepEqual([...compile(zero, { previous: compile([], { previous: after }) }).waypointsReadyOnce], [])
})

test('ready once and without a pod: the connection goes to where nobody is', () => {
  const before = compile([waypoint('app/wp')])
  assert.equal(way({ ofService: { [use]: 'wp' }, waypoints: zero, options: { previous: before } }), 'app/wp')
  assert.equal(way({ ofService: { [use]: 'wp' }, waypoints: zero }), 'app/wp: never-ready')
})

test('of what istiod runs otherwise nothing is said', () => {
  const sidecar = gateway('app/wp', {
    gatewayClassName: 'istio-waypoint',
    infrastructure: { labels: { 'sidecar.istio.io/inject': 'true' } },
  })
  const snapshot = compile([sidecar])
  assert.deepEqual(
    snapshot.notModelled.map(({ id, what }) => [id, what]),
    [['Gateway/app/wp', 'a waypoint with a sidecar']],
  )
  assert.equal(snapshot.waypoints.size, 0)
})

test('with a canary beside it nobody can say which of the two a call goes by', () => {
  const labels = { [use]: 'wp', 'istio.io/use-waypoint-canary': 'other' }
  const snapshot = compile([
    ambient('app'),
    workload('app/src'),
    workload('app/dst', { ports }),
    service('app/dst', { targetPort: 8080, labels }),
    waypoint('app/wp'),
    waypoint('app/other'),
  ])
  const of = judge({ from: { workload: 'app/src' }, to: { service: 'app/dst' }, port: 80 }, snapshot)
  assert.deepEqual(
    of.steps.map(({ point, outcome, facts }) => [point, outcome, facts?.what]),
    [['waypoint', 'unknown', 'a canary of waypoint app/wp']],
  )
})
