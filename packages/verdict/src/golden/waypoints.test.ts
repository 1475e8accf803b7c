import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import { judge } from '../flow/judge.js'
import { compile } from '../model/compile.js'
import { judgeAt } from '../points/judge-at.js'
import { authorizationPolicy, namespace, networkPolicy, service, waypoint } from '../testing/objects.js'
import { dst, onDst, outside, plain, scene, short, snapshotWith, src, srcPrincipal, verdict } from '../testing/scene.js'
import type { FlowDestination } from '../types.js'

/*
 * Golden vectors 83 and 105 to 120, which need waypoints or network policies: what is not modelled must be said to be
 * unknown, and never pass in silence. What of them ztunnel decides alone is answered; 111 to 113 are in gateways.test.ts.
 */

const svc: FlowDestination = { service: 'app/dst' }
const waypointed = service('app/dst', { port: 80, targetPort: 8080, labels: { 'istio.io/use-waypoint': 'wp' } })
const wp = waypoint('app/wp')
const unknownAtWaypoint = { outcome: 'unknown', symptom: 'reset', code: 'not-modelled' }

/** The scene with its Service behind the waypoint. */
function withWaypoint(...policies: readonly Resource[]): ReturnType<typeof compile> {
  return compile([...scene.filter(({ id }) => id !== waypointed.id), waypointed, wp, ...policies])
}

const targeted = authorizationPolicy('app/t', { targetRefs: [{ kind: 'Service', group: '', name: 'dst' }] })
const nothing = authorizationPolicy('istio-system/allow-nothing', {})
const allowWaypoint = authorizationPolicy('app/wp', {
  selector: onDst,
  rules: [{ from: [{ source: { principals: ['cluster.local/ns/app/sa/wp'] } }] }],
})

test('83, 105 to 109: traffic through a waypoint is unknown, at the waypoint, and names its Gateway', () => {
  for (const policies of [[], [targeted], [nothing], [nothing, allowWaypoint]]) {
    const of = judge({ from: src, to: svc, port: 80 }, withWaypoint(...policies))
    assert.deepEqual(short(of), unknownAtWaypoint)
    const step = of.steps.at(-1)
    assert.deepEqual([step?.point, step?.policy, step?.at], ['waypoint', 'Gateway/app/wp', 'wp.yaml:1'])
  }
})

test('110 TestPodIP: a call to the pod goes round a waypoint for Services', () => {
  const of = judge({ from: src, to: dst, port: 8080 }, withWaypoint(targeted))
  assert.equal(of.outcome, 'allow')
  assert.equal(
    of.steps.some((step) => step.point === 'waypoint'),
    false,
  )
})

test('a waypoint for workloads is in the way of the pod and not of the Service', () => {
  const given = [...scene, namespace('app', { 'istio.io/dataplane-mode': 'ambient', 'istio.io/use-waypoint': 'wp' })]
  const snapshot = compile([...given, waypoint('app/wp', { 'istio.io/waypoint-for': 'workload' })])
  assert.deepEqual(short(judge({ from: src, to: dst, port: 8080 }, snapshot)), unknownAtWaypoint)
  assert.equal(judge({ from: src, to: svc, port: 80 }, snapshot).outcome, 'allow')
})

test('from outside no waypoint leads to a Service, and neither does its cluster IP', () => {
  const nobody = { outcome: 'deny', symptom: 'timeout', code: 'network.unreachable' }
  assert.deepEqual(short(judge({ from: outside, to: svc, port: 80 }, withWaypoint())), nobody)
  assert.deepEqual(short(verdict([], outside, svc, 80)), nobody)
})

test('a waypoint as the caller is unknown', () => {
  assert.equal(judge({ from: { workload: 'app/wp' }, to: dst, port: 8080 }, withWaypoint()).outcome, 'unknown')
})

test('114 TestBogusUseWaypoint: a waypoint that is not there is gone round', () => {
  const snapshot = compile([...scene.filter(({ id }) => id !== waypointed.id), waypointed])
  assert.equal(judge({ from: src, to: svc, port: 80 }, snapshot).outcome, 'allow')
})

test('a caller outside the mesh goes round the waypoint', () => {
  assert.equal(judge({ from: plain, to: svc, port: 80 }, withWaypoint()).outcome, 'allow')
})

test('115 TestDirect: the HBONE port wants a certificate; at a waypoint itself it is unknown', () => {
  const direct = { from: plain, port: 8080, certificate: 'none' } as const
  assert.deepEqual(short(judge({ ...direct, to: dst }, withWaypoint())), {
    outcome: 'deny',
    symptom: 'tls-refused',
    code: 'hbone.no-certificate',
  })
  assert.equal(judge({ ...direct, to: { workload: 'app/wp' } }, withWaypoint()).outcome, 'unknown')
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
  const appPort = networkPolicy('app/app-port', { podSelector: onDst, ingress: [{ ports: [{ port: 8080 }] }] })
  assert.deepEqual(short(verdict([appPort], src)), {
    outcome: 'deny',
    symptom: 'late-reset',
    code: 'cni.default-deny',
  })
})
