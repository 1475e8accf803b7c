import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import { compile } from '../model/compile.js'
import {
  authorizationPolicy,
  ciliumPolicy,
  gateway,
  httpRoute,
  networkPolicy,
  resource,
  service,
  workload,
} from '../testing/objects.js'
import { onDst, src } from '../testing/scene.js'
import {
  behindWaypoint,
  decided,
  onClass,
  onService,
  onWaypoint,
  svc,
  through,
  waypointPrincipal,
  withWaypoint,
  wp,
} from '../testing/waypoint-scene.js'
import type { Flow, Verdict } from '../types.js'
import { judge } from './judge.js'
import { servedAt } from './waypoint.js'

/* A flow's way through a waypoint, and what stops it there and behind (semantics 0, C.4, C.7, D.1). */

const toAll = { rules: [{}] }

test('policies of the Service, of the waypoint and of its class hold together; those for pods hold at the pods', () => {
  const empty = { rules: [] }
  assert.equal(through([onWaypoint(empty)]).symptom, 'rbac-403')
  assert.equal(through([onWaypoint(empty), onService(toAll)]).outcome, 'allow')
  assert.equal(through([onService(empty), onClass(toAll)]).outcome, 'allow')
  assert.equal(through([onWaypoint({ action: 'DENY', ...toAll }), onService(toAll)]).symptom, 'rbac-403')
  // Of another namespace than the Service's or the waypoint's they are nobody's.
  assert.equal(through([onService(empty, 'other/p'), onWaypoint(empty, 'other/q')]).outcome, 'allow')
  const pods = authorizationPolicy('app/pods', { selector: { matchLabels: {} } })
  assert.deepEqual(decided(through([pods])), ['deny', 'gateway-503', 1, 'ztunnel', 'authz.no-rule-allows'])
})

test('AUDIT only writes a log, and it is said; CUSTOM is unknown, and answered as a proxy that fails closed', () => {
  const [step] = through([onService({ action: 'AUDIT', ...toAll })]).steps.filter(({ point }) => point === 'waypoint')
  assert.deepEqual(
    [step?.outcome, step?.facts?.ignored],
    ['allow', 'AuthorizationPolicy/app/on-service (action AUDIT)'],
  )
  const custom = onService({ action: 'CUSTOM', provider: { name: 'x' }, ...toAll })
  assert.deepEqual(decided(through([custom])), ['unknown', 'rbac-403', 0, 'waypoint', 'not-modelled'])
})

/** The Service with another port for app/dst. */
const declared = (port: object, ...more: readonly Resource[]) => {
  const { object } = service('app/dst', { labels: { 'istio.io/use-waypoint': 'wp' } })
  const spec = { selector: { app: 'dst' }, ports: [{ port: 80, targetPort: 8080, ...port }] }
  const others = behindWaypoint.filter(({ id }) => id !== 'Service/app/dst')
  return compile([...others, resource({ ...object, spec }), wp, ...more])
}
const flow: Flow = { from: src, to: svc, port: 80 }
const onlyGet = onService({ rules: [{ to: [{ operation: { methods: ['GET'] } }] }] })
const get = { http: { method: 'GET', path: '/' } }

test('a port that is declared TCP carries no request: ALLOW rules about requests are gone, and a deny is a reset', () => {
  const tcp = declared({ name: 'tcp-x' }, onlyGet)
  assert.deepEqual(decided(judge({ ...flow, ...get }, tcp)), ['deny', 'reset', 0, 'waypoint', 'authz.no-rule-allows'])
  const http = declared({ name: 'http-x' }, onlyGet)
  assert.deepEqual(decided(judge({ ...flow, ...get }, http)), ['allow', 'ok'])
  // Not declared: it depends on what comes, and a flow that says nothing asks for GET /.
  const sniffed = declared({ name: 'x' }, onlyGet)
  assert.deepEqual(decided(judge(flow, sniffed)), ['allow', 'ok'])
  assert.equal(judge({ ...flow, tls: { sni: 'dst' } }, sniffed).symptom, 'reset')
})

test('what stops a waypoint on its way is a 503 to who asked for a page, and a cut connection to everybody else', () => {
  const pods = authorizationPolicy('app/pods', { selector: onDst })
  const drop = networkPolicy('app/drop', { podSelector: onDst })
  const rows: readonly (readonly [Resource, http: string, tcp: string])[] = [
    [pods, 'gateway-503', 'reset'],
    [drop, 'gateway-503', 'late-reset'],
  ]
  for (const [policy, http, tcp] of rows) {
    assert.equal(judge(flow, declared({ name: 'http' }, policy)).symptom, http)
    assert.equal(judge(flow, declared({ name: 'tcp' }, policy)).symptom, tcp)
  }
})

test('what a waypoint does not read goes on as it came, and who reads it behind judges it', () => {
  const reads = ciliumPolicy('app/reads', {
    endpointSelector: { matchLabels: { app: 'uncaptured' } },
    ingress: [
      {
        fromEntities: ['all'],
        toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }], rules: { http: [{ path: '/a' }] } }],
      },
    ],
  })
  const before = (name: string): Resource => {
    const { object } = service('app/dst', { labels: { 'istio.io/use-waypoint': 'wp' } })
    const spec = { selector: { app: 'uncaptured' }, ports: [{ port: 80, targetPort: 8080, name }] }
    return resource({ ...object, spec })
  }
  const others = behindWaypoint.filter(({ id }) => id !== 'Service/app/dst')
  const ask = (name: string, path: string) =>
    decided(judge({ ...flow, http: { method: 'GET', path } }, compile([...others, before(name), wp, reads])))
  const denied = ['deny', 'cilium-403', 1, 'cni-ingress', 'cni.http-denied']
  assert.deepEqual(ask('tcp', '/b'), denied)
  assert.deepEqual(ask('tcp', '/a'), ['allow', 'ok'])
  assert.deepEqual(ask('tcp', 'http://dst/a'), ['allow', 'ok'])
  assert.deepEqual(ask('tcp', 'http://dst/b'), denied)
  // As it came, where one that reads it would have put it right.
  assert.deepEqual(ask('tcp', '/b/../a'), denied)
  assert.deepEqual(ask('http', '/b/../a'), ['allow', 'ok'])
})

test('a Service without a pod is the waypoint’s to find out', () => {
  const empty = service('app/dst', { selector: { app: 'nobody' }, labels: { 'istio.io/use-waypoint': 'wp' } })
  const others = behindWaypoint.filter(({ id }) => id !== 'Service/app/dst')
  const of = judge(flow, compile([...others, empty, wp]))
  assert.deepEqual(decided(of), ['deny', 'gateway-503', 1, 'cni-egress', 'network.no-endpoint'])
  assert.deepEqual(decided(judge(flow, compile([...others, empty]))), [
    'deny',
    'reset',
    0,
    'cni-egress',
    'network.no-endpoint',
  ])
})

test('the network at the waypoint’s own pod: the caller’s packet to 15008, and the waypoint’s to the pod’s 15008', () => {
  const atWaypoint = { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'wp' } }
  const closed = networkPolicy('app/closed', { podSelector: atWaypoint })
  assert.deepEqual(decided(through([closed])), ['deny', 'late-reset', 0, 'cni-ingress', 'cni.default-deny'])
  const fromSrc = [{ podSelector: { matchLabels: { app: 'src' } } }]
  const open = networkPolicy('app/closed', {
    podSelector: atWaypoint,
    ingress: [{ from: fromSrc, ports: [{ port: 15008 }] }],
  })
  assert.equal(through([open]).outcome, 'allow')
  const out = networkPolicy('app/out', { podSelector: atWaypoint, policyTypes: ['Egress'] })
  assert.deepEqual(decided(through([out])), ['deny', 'gateway-503', 1, 'cni-egress', 'cni.default-deny'])
})

/* Once ready, a waypoint that has gone is not gone round (C.7). */
test('a waypoint that died takes its Services along; one that never was ready does not', () => {
  const none = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'none', namespace: 'app' } }
  const listeners = [{ name: 'mesh', port: 15008, protocol: 'HBONE' }]
  const infrastructure = { parametersRef: { group: '', kind: 'ConfigMap', name: 'none' } }
  const dead = [
    resource({ ...none, data: { deployment: 'spec: {replicas: 0}' } }),
    gateway('app/wp', { gatewayClassName: 'istio-waypoint', listeners, infrastructure }),
  ]
  const given = [...behindWaypoint, ...dead]
  const died = judge(flow, compile(given, { previous: withWaypoint() }))
  assert.deepEqual(decided(died), ['deny', 'reset', 0, 'cni-egress', 'network.no-endpoint'])
  const step = died.steps[died.decidedBy?.step ?? -1]
  assert.deepEqual([step?.policy, step?.facts?.waypoint], ['Gateway/app/wp', 'app/wp'])
  assert.equal(died.hops[0]?.to, 'app/wp')
  const never = judge(flow, compile(given))
  assert.deepEqual([never.outcome, never.steps[0]?.facts?.why], ['allow', 'never-ready'])
})

test('what is behind a waypoint is judged also when it refuses: what else would have stopped it is known', () => {
  const of = through([onService({}), authorizationPolicy('app/pods', { selector: onDst })])
  assert.deepEqual(
    of.steps.filter(({ outcome }) => outcome === 'deny').map(({ hop, point }) => [hop, point]),
    [
      [0, 'waypoint'],
      [1, 'ztunnel'],
    ],
  )
  assert.equal(of.decidedBy?.hop, 0)
})

const outside = { external: '172.18.0.1' }

/** From outside by a gateway, and by the waypoint. */
function fromOutside(policies: readonly Resource[], port: object = { name: 'http' }): Verdict {
  const labels = { 'istio.io/use-waypoint': 'wp', 'istio.io/ingress-use-waypoint': 'true' }
  const { object } = service('app/dst', { labels })
  const spec = { selector: { app: 'dst' }, ports: [{ port: 80, targetPort: 8080, ...port }] }
  const snapshot = compile([
    ...behindWaypoint.filter(({ id }) => id !== 'Service/app/dst'),
    resource({ ...object, spec }),
    wp,
    gateway('app/gw'),
    httpRoute('app/r', 'gw', { rules: [{ backendRefs: [{ name: 'dst', port: 80 }] }] }),
    ...policies,
  ])
  return judge({ from: outside, to: { service: 'app/gw-istio' }, port: 80 }, snapshot)
}

test('behind a gateway a waypoint’s 403 is the client’s, and what it cannot reach is 503', () => {
  assert.deepEqual(decided(fromOutside([])), ['allow', 'ok'])
  assert.deepEqual(decided(fromOutside([onService({})])), ['deny', 'rbac-403', 1, 'waypoint', 'authz.no-rule-allows'])
  const pods = authorizationPolicy('app/pods', { selector: onDst })
  assert.deepEqual(decided(fromOutside([pods])), ['deny', 'gateway-503', 2, 'ztunnel', 'authz.no-rule-allows'])
  // A waypoint that reads no requests can only close, and then the gateway has no answer.
  const tcp = fromOutside([onService({})], { name: 'tcp' })
  assert.deepEqual(decided(tcp), ['deny', 'gateway-503', 1, 'waypoint', 'authz.no-rule-allows'])
  assert.match(tcp.text, /\(waypoint, behind the gateway\)$/)
  assert.match(fromOutside([pods]).text, /\(ztunnel, behind the waypoint\)$/)
})

test('at the waypoint the caller is the gateway, and who asked it stands at the end of X-Forwarded-For', () => {
  const principals = ['cluster.local/ns/app/sa/gw-istio']
  assert.equal(fromOutside([onService({ rules: [{ from: [{ source: { principals } }] }] })]).outcome, 'allow')
  const remote = (block: string) => onService({ rules: [{ from: [{ source: { remoteIpBlocks: [block] } }] }] })
  assert.equal(fromOutside([remote('172.18.0.1')]).outcome, 'allow')
  assert.equal(fromOutside([remote('10.244.0.0/16')]).symptom, 'rbac-403')
})

test('behind a waypoint a pod outside the mesh gets plain text, and a route of the Service is unknown', () => {
  const legacy = [
    workload('app/legacy', {
      ports: [{ containerPort: 8080 }],
      labels: { app: 'legacy', 'istio.io/dataplane-mode': 'none' },
    }),
    service('app/legacy', { targetPort: 8080, labels: { 'istio.io/use-waypoint': 'wp' } }),
  ]
  const of = through(legacy, { to: { service: 'app/legacy' } })
  assert.deepEqual(
    of.hops.map(({ tuple, as }) => [tuple.port, as?.split('/').at(-1)]),
    [
      [15008, 'src'],
      [8080, undefined],
    ],
  )
  const route = httpRoute('app/r', 'wp', { parentRefs: [{ group: '', kind: 'Service', name: 'dst' }] })
  const routed = through([route])
  assert.deepEqual(decided(routed), ['unknown', 'rbac-403', 0, 'waypoint', 'not-modelled'])
  assert.equal(routed.steps.find(({ outcome }) => outcome === 'unknown')?.policy, 'HTTPRoute/app/r')
  assert.deepEqual(
    withWaypoint([route]).notModelled.map(({ id }) => id),
    ['HTTPRoute/app/r'],
  )
  const virtual = (hosts: readonly string[], more: object = {}) =>
    resource({
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'v', namespace: 'app' },
      spec: { hosts, ...more },
    })
  assert.equal(through([virtual(['dst'])]).outcome, 'unknown')
  assert.equal(through([virtual(['*.app.svc.cluster.local'])]).outcome, 'unknown')
  assert.equal(through([virtual(['other'])]).outcome, 'allow')
  assert.equal(through([virtual(['dst'], { gateways: ['gw'] })]).outcome, 'allow')
})

test('objects that change the proxy, or check tokens in it, are unknown where they are attached to it', () => {
  const group = 'gateway.networking.k8s.io'
  const kinds = [
    ['networking.istio.io/v1alpha3', 'EnvoyFilter', { targetRefs: [{ group, kind: 'Gateway', name: 'wp' }] }],
    ['extensions.istio.io/v1alpha1', 'WasmPlugin', { targetRefs: [{ group: '', kind: 'Service', name: 'dst' }] }],
  ] as const
  for (const [apiVersion, kind, spec] of kinds) {
    const object = resource({ apiVersion, kind, metadata: { name: 'x', namespace: 'app' }, spec })
    const of = through([object])
    assert.deepEqual(
      [of.outcome, of.steps.find(({ outcome }) => outcome === 'unknown')?.policy],
      ['unknown', `${kind}/app/x`],
    )
    // One that selects pods is none of the waypoint's.
    assert.equal(
      through([resource({ apiVersion, kind, metadata: { name: 'x', namespace: 'app' }, spec: {} })]).outcome,
      'allow',
    )
  }
  const tokens = resource({
    apiVersion: 'security.istio.io/v1',
    kind: 'RequestAuthentication',
    metadata: { name: 'jwt', namespace: 'app' },
    spec: { targetRefs: [{ group: '', kind: 'Service', name: 'dst' }], jwtRules: [{ issuer: 'x' }] },
  })
  assert.equal(through([tokens]).outcome, 'allow')
  const withToken = { http: { method: 'GET', path: '/', headers: { Authorization: 'Bearer x' } } }
  assert.equal(through([tokens], withToken).outcome, 'unknown')
})

test('what a CONNECT at a waypoint may be for: a Service or a pod that names it', () => {
  const snapshot = withWaypoint([service('app/free', { selector: { app: 'dst' }, targetPort: 8080 })])
  const pod = [...snapshot.pods.values()].find((one) => one.waypoint === 'app/wp') ?? assert.fail()
  const ip = (key: string) => snapshot.services.get(key)?.clusterIP ?? ''
  const served = servedAt(pod, { ip: ip('app/dst'), port: 80 }, snapshot)
  assert.ok(served !== undefined && 'service' in served)
  assert.deepEqual([served.service.key, served.port], ['app/dst', 80])
  const nothing = [
    { ip: ip('app/dst'), port: 81 },
    { ip: ip('app/free'), port: 80 },
    { ip: [...snapshot.pods.values()].find((one) => one.workload === 'app/dst')?.ip ?? '', port: 8080 },
    { ip: pod.ip, port: 15008 },
    { ip: '192.0.2.1', port: 80 },
  ]
  for (const target of nothing) assert.equal(servedAt(pod, target, snapshot), undefined, JSON.stringify(target))
})

test('the waypoint’s own ports and Service: readiness is plain text, the HBONE port wants a certificate', () => {
  const from = { workload: 'plain/src' }
  const ask = (port: number) => judge({ from, to: { service: 'app/wp' }, port }, withWaypoint([onWaypoint({})]))
  assert.equal(ask(15021).outcome, 'allow')
  assert.deepEqual(decided(ask(15008)), ['deny', 'tls-refused', 0, 'waypoint', 'hbone.no-certificate'])
  const owned = judge({ from: { workload: 'app/wp' }, to: svc, port: 80 }, withWaypoint([onService({})]))
  assert.deepEqual([owned.outcome, owned.hops[0]?.as], ['allow', `spiffe://${waypointPrincipal}`])
})
