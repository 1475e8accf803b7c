import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge } from '../flow/judge.js'
import { compile } from '../model/compile.js'
import { judgeAt } from '../points/judge-at.js'
import { authorizationPolicy, namespace, networkPolicy, waypoint } from '../testing/objects.js'
import { dst, onDst, outside, plain, scene, short, snapshotWith, src, srcPrincipal, verdict } from '../testing/scene.js'
import {
  behindWaypoint,
  decided,
  onClass,
  onService,
  other,
  svc,
  through,
  waypointPrincipal,
  withWaypoint,
} from '../testing/waypoint-scene.js'

/*
 * Golden vectors 83 and 105 to 120, which need waypoints or network policies; 111 to 113 are in gateways.test.ts. What a proxy does of itself is
 * tested in packages/mesh: 116, a CONNECT to one pod that asks for another (forged.test.ts), and 117 as the source sees it (mesh.test.ts).
 */

const from = (principal: string) => [{ source: { principals: [principal] } }]
const refused = ['deny', 'rbac-403', 0, 'waypoint', 'authz.no-rule-allows']

test('a call through a waypoint has two hops, the second as the waypoint, and every step of both', () => {
  const of = through([])
  assert.deepEqual(decided(of), ['allow', 'ok'])
  assert.deepEqual(
    of.hops.map(({ from, to, tuple, as }) => [from, to, tuple.port, as]),
    [
      ['app/src', 'app/wp', 15008, `spiffe://${srcPrincipal}`],
      ['app/wp', 'app/dst', 15008, `spiffe://${waypointPrincipal}`],
    ],
  )
  assert.deepEqual(
    of.steps.map(({ hop, point, code }) => [hop, point, code]),
    [
      [0, 'cni-egress', 'network.no-policy'],
      [0, 'cni-ingress', 'network.no-policy'],
      [0, 'waypoint', 'authz.no-allow-policy'],
      [1, 'cni-egress', 'network.no-policy'],
      [1, 'cni-ingress', 'network.no-policy'],
      [1, 'ztunnel', 'mtls.no-policy'],
      [1, 'ztunnel', 'authz.no-allow-policy'],
    ],
  )
})

test('83 TestAuthorizationL4/allow: the destination lists the caller and the waypoint; the waypoint is who comes there', () => {
  const both = authorizationPolicy('app/both', {
    selector: onDst,
    rules: [{ from: [{ source: { principals: [srcPrincipal, waypointPrincipal] } }] }],
  })
  assert.deepEqual(decided(through([both])), ['allow', 'ok'])
  const callerOnly = authorizationPolicy('app/both', { selector: onDst, rules: [{ from: from(srcPrincipal) }] })
  assert.deepEqual(decided(through([callerOnly])), ['deny', 'gateway-503', 1, 'ztunnel', 'authz.no-rule-allows'])
})

test('105 TestAuthorizationServiceAttached/principal: one Service is closed, another behind the same waypoint is not', () => {
  const strangers = onService({ rules: [{ from: from('cluster.local/ns/something/sa/else') }] })
  assert.deepEqual(decided(through([strangers])), refused)
  assert.deepEqual(decided(through([strangers], { to: other })), ['allow', 'ok'])
  const callers = onService({ rules: [{ from: from(srcPrincipal) }] })
  assert.deepEqual(decided(through([callers])), ['allow', 'ok'])
})

test('106 TestAuthorizationServiceAttached/header', () => {
  const header = onService({ rules: [{ when: [{ key: 'request.headers[x-foo]', values: ['x-bar'] }] }] })
  const http = (value: string) => ({ http: { method: 'GET', path: '/', headers: { 'X-Foo': value } } })
  assert.deepEqual(decided(through([header], http('x-bar'))), ['allow', 'ok'])
  assert.deepEqual(decided(through([header], http('x-baz'))), refused)
  assert.deepEqual(decided(through([header])), refused)
})

const nothing = authorizationPolicy('istio-system/allow-nothing', {})
const allowWaypoint = authorizationPolicy('app/wp', { selector: onDst, rules: [{ from: from(waypointPrincipal) }] })

test('107 TestAuthorizationWaypointDefaultDeny: a policy for all pods is none of the waypoint’s, and keeps it out of the pod', () => {
  const of = through([nothing])
  assert.deepEqual(decided(of), ['deny', 'gateway-503', 1, 'ztunnel', 'authz.no-rule-allows'])
  assert.equal(of.steps.find(({ point }) => point === 'waypoint')?.code, 'authz.no-allow-policy')
})

test('108 with an ALLOW for the waypoint at the pod it goes through', () => {
  assert.deepEqual(decided(through([nothing, allowWaypoint])), ['allow', 'ok'])
})

test('109 a policy for the class closes every waypoint', () => {
  const of = through([nothing, allowWaypoint, onClass({})])
  assert.deepEqual(decided(of), refused)
  // From any other namespace than the root a class is nobody's to attach to.
  assert.deepEqual(decided(through([nothing, allowWaypoint, onClass({}, 'app/on-class')])), ['allow', 'ok'])
})

test('110 TestPodIP: a call to the pod goes round a waypoint for Services', () => {
  const closed = onService({})
  const of = judge({ from: src, to: dst, port: 8080 }, withWaypoint([closed]))
  assert.equal(of.outcome, 'allow')
  const [step] = of.steps
  assert.deepEqual([step?.code, step?.facts?.why], ['waypoint.walked-past', 'pod-address'])
  assert.deepEqual(decided(through([closed])), refused)
})

test('a waypoint for workloads is in the way of the pod and not of the Service', () => {
  const given = [
    ...scene.filter(({ id }) => id !== 'Namespace/app'),
    namespace('app', { 'istio.io/dataplane-mode': 'ambient', 'istio.io/use-waypoint': 'wp' }),
  ]
  const snapshot = compile([...given, waypoint('app/wp', { 'istio.io/waypoint-for': 'workload' })])
  const toPod = judge({ from: src, to: dst, port: 8080 }, snapshot)
  assert.deepEqual([toPod.outcome, toPod.hops.length], ['allow', 2])
  const toService = judge({ from: src, to: svc, port: 80 }, snapshot)
  assert.deepEqual([toService.outcome, toService.hops.length], ['allow', 1])
  assert.equal(toService.steps[0]?.facts?.why, 'service-address')
})

test('from outside no waypoint leads to a Service, and neither does its cluster IP', () => {
  const nobody = { outcome: 'deny', symptom: 'timeout', code: 'network.unreachable' }
  assert.deepEqual(short(judge({ from: outside, to: svc, port: 80 }, withWaypoint())), nobody)
  assert.deepEqual(short(verdict([], outside, svc, 80)), nobody)
})

test('a waypoint as the caller goes straight, as itself: never by itself nor by another', () => {
  const of = judge({ from: { workload: 'app/wp' }, to: svc, port: 80 }, withWaypoint([onService({})]))
  assert.deepEqual([of.outcome, of.hops.length, of.hops[0]?.as], ['allow', 1, `spiffe://${waypointPrincipal}`])
})

test('114 TestBogusUseWaypoint: a waypoint that is not there is as none, and it is said', () => {
  const of = judge({ from: src, to: svc, port: 80 }, compile([...behindWaypoint, onService({})]))
  assert.deepEqual([of.outcome, of.hops.length], ['allow', 1])
  const [step] = of.steps
  assert.deepEqual([step?.code, step?.policy, step?.facts?.why], ['waypoint.walked-past', 'Gateway/app/wp', 'missing'])
})

test('a caller outside the mesh goes round the waypoint', () => {
  const of = judge({ from: plain, to: svc, port: 80 }, withWaypoint([onService({})]))
  assert.deepEqual([of.outcome, of.hops.length], ['allow', 1])
  assert.equal(of.steps[0]?.facts?.why, 'not-captured')
})

test('115 TestDirect: the HBONE port of a pod and of a waypoint wants a certificate', () => {
  const direct = { from: plain, port: 8080, certificate: 'none' } as const
  const noCertificate = { outcome: 'deny', symptom: 'tls-refused', code: 'hbone.no-certificate' }
  assert.deepEqual(short(judge({ ...direct, to: dst }, withWaypoint())), noCertificate)
  for (const from of [plain, src]) {
    const to = { workload: 'app/wp' }
    const of = judge({ ...direct, from, to, port: 15008 }, withWaypoint())
    assert.deepEqual(short(of), noCertificate)
    assert.equal(of.steps.at(-1)?.point, 'waypoint')
    assert.deepEqual(short(judge({ from, to, port: 15008 }, withWaypoint())), noCertificate)
    const forged = judge({ ...direct, from, to, port: 15008, certificate: 'other-domain' }, withWaypoint())
    assert.equal(short(forged).code, 'hbone.untrusted-certificate')
  }
})

test('117 trust_domain_mismatch_rejected, seen from the server: a certificate of another mesh is not trusted', () => {
  const of = verdict([], plain, dst, 8080, { certificate: 'other-domain' })
  assert.equal(short(of).code, 'hbone.untrusted-certificate')
})

test('118 test_policy: the same open connection, judged again after the policy turned to deny', () => {
  const before = snapshotWith()
  const after = compile([...scene, authorizationPolicy('app/nothing', {})], { previous: before })
  const destination = [...before.pods.values()].find((pod) => pod.workload === 'app/dst')
  assert.ok(destination)
  const evidence = { destination, port: 8080, peer: { ip: '10.244.1.9', identity: `spiffe://${srcPrincipal}` } }
  assert.equal(judgeAt('ztunnel', evidence, before).outcome, 'allow')
  assert.equal(judgeAt('ztunnel', evidence, after).outcome, 'deny')
})

test('119 TestOutboundPolicyAllowAny: a host that nobody here knows is passed through', () => {
  const of = verdict([], src, { host: 'example.com', ip: '93.184.216.34' }, 443)
  assert.equal(of.outcome, 'allow')
  assert.deepEqual(of.hops[0]?.tuple.dst, '93.184.216.34')
})

test('120 TestK8sNetPol: a NetworkPolicy that opens 15008 alone lets the mesh in, and nobody else', () => {
  const onlyHbone = networkPolicy('app/only-hbone', { podSelector: onDst, ingress: [{ ports: [{ port: 15008 }] }] })
  const of = verdict([onlyHbone], src)
  assert.deepEqual(
    of.steps.map((step) => [step.point, step.outcome]),
    [
      ['cni-egress', 'allow'],
      ['cni-ingress', 'allow'],
      ['ztunnel', 'allow'],
      ['ztunnel', 'allow'],
    ],
  )
  assert.deepEqual(short(verdict([onlyHbone], plain)), {
    outcome: 'deny',
    symptom: 'timeout',
    code: 'cni.default-deny',
  })
  const onUncaptured = { matchLabels: { app: 'uncaptured' } }
  const onlyHboneThere = networkPolicy('app/only', {
    podSelector: onUncaptured,
    ingress: [{ ports: [{ port: 15008 }] }],
  })
  const uncaptured = { workload: 'app/uncaptured' }
  assert.deepEqual(short(verdict([onlyHboneThere], src, uncaptured)), {
    outcome: 'deny',
    symptom: 'late-reset',
    code: 'cni.default-deny',
  })
  assert.equal(verdict([], src, uncaptured).outcome, 'allow')
  const appPort = networkPolicy('app/app-port', { podSelector: onDst, ingress: [{ ports: [{ port: 8080 }] }] })
  assert.deepEqual(short(verdict([appPort], src)), {
    outcome: 'deny',
    symptom: 'late-reset',
    code: 'cni.default-deny',
  })
})
