import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge } from '../flow/judge.js'
import { lookUp } from '../flow/look-up.js'
import { ambient, ciliumPolicy, networkPolicy, service, workload } from '../testing/objects.js'
import { short } from '../testing/scene.js'
import type { FlowDestination } from '../types.js'
import { compile } from './compile.js'

const scene = [ambient('a'), workload('a/app')]
const snapshot = compile(scene)
const from = { workload: 'a/app' }

test('what every cluster has is found by name and by address, and is not among the manifests’ own', () => {
  const { platform } = snapshot
  assert.deepEqual([...snapshot.pods.keys()].length, 1)
  assert.equal(snapshot.services.size, 0)
  assert.equal(snapshot.podByIp(platform.dns.ip), platform.dns)
  assert.equal(snapshot.serviceByIp('10.96.0.1')?.key, 'default/kubernetes')
  const answer = snapshot.resolveName('kubernetes.default.svc', 'a')
  assert.equal(answer.kind === 'service' && answer.service.key, 'default/kubernetes')
  assert.equal(lookUp('istiod.istio-system', undefined, snapshot).kind, 'service')
  assert.deepEqual(lookUp('172.18.0.2', undefined, snapshot), { kind: 'node', node: platform.controlPlane })
})

for (const [to, port, hop] of [
  [{ service: 'default/kubernetes' }, 443, 'bulkhead-control-plane:6443'],
  [{ host: 'kubernetes.default.svc' }, 443, 'bulkhead-control-plane:6443'],
  [{ ip: '172.18.0.2' }, 6443, '172.18.0.2:6443'],
  [{ node: 'bulkhead-control-plane' }, 10250, 'node bulkhead-control-plane:10250'],
  [{ service: 'kube-system/kube-dns' }, 53, 'kube-system/coredns:53'],
  [{ workload: 'istio-system/istiod' }, 15012, 'istio-system/istiod:15012'],
  [{ service: 'istio-system/istiod' }, 443, 'istio-system/istiod:15017'],
  [{ ip: '169.254.169.254' }, 80, '169.254.169.254:80'],
] as const satisfies readonly (readonly [FlowDestination, number, string])[]) {
  test(`${JSON.stringify(to)}:${port} leads to ${hop}`, () => {
    const of = judge({ from, to, port }, snapshot)
    assert.equal(of.outcome, 'allow')
    assert.equal(
      `${of.hops[0]?.to}:${of.hops[0]?.tuple.port}`.replace(/^node (?=bulkhead-control-plane:6443)/, ''),
      hop,
    )
  })
}

test('a port that it does not have, and a caller outside of the cluster', () => {
  const code = (port: number, to: FlowDestination): string => short(judge({ from, to, port }, snapshot)).code
  assert.equal(code(80, { service: 'default/kubernetes' }), 'network.nothing-listens')
  assert.equal(code(80, { workload: 'istio-system/istiod' }), 'network.nothing-listens')
  const outside = judge(
    { from: { external: '203.0.113.7' }, to: { service: 'default/kubernetes' }, port: 443 },
    snapshot,
  )
  assert.equal(short(outside).code, 'network.unreachable')
})

test('a name that is nearly one of theirs', () => {
  const near = (to: FlowDestination, meant: string): void =>
    assert.throws(() => judge({ from, to, port: 53 }, snapshot), new RegExp(`did you mean "${meant}"`))
  near({ service: 'kube-system/kubedns' }, 'kube-system/kube-dns')
  near({ workload: 'istio-system/istio' }, 'istio-system/istiod')
  near({ node: 'bulkhead-control-plan' }, 'bulkhead-control-plane')
})

test('its walls are asked as all others', () => {
  const no = ciliumPolicy('a/no', {
    egressDeny: [{ toEntities: ['kube-apiserver'] }],
    enableDefaultDeny: { egress: false },
  })
  const of = judge({ from, to: { service: 'default/kubernetes' }, port: 443 }, compile([...scene, no]))
  assert.deepEqual(short(of), { outcome: 'deny', symptom: 'late-reset', code: 'cni.rule-denies' })
  const shut = networkPolicy('istio-system/shut', { podSelector: { matchLabels: { app: 'istiod' } } })
  const istiod = judge({ from, to: { workload: 'istio-system/istiod' }, port: 15012 }, compile([...scene, shut]))
  assert.deepEqual([istiod.outcome, istiod.steps[1]?.code], ['deny', 'cni.default-deny'])
})

test('where the manifests hold one of them theirs counts, and no pod or Service is given an address of theirs', () => {
  const labels = { 'k8s-app': 'kube-dns' }
  const own = compile([
    ...scene,
    workload('kube-system/my-dns', { labels, ports: [{ containerPort: 5353, protocol: 'UDP' }] }),
    service('kube-system/kube-dns', { selector: labels, port: 53, targetPort: 5353 }),
  ])
  assert.equal(own.platform.dns.workload, 'kube-system/my-dns')
  assert.equal(own.pods.get(own.platform.dns.key), own.platform.dns)
  assert.notEqual(own.serviceByIp('10.96.0.10')?.key, 'kube-system/kube-dns')
  const many = compile([ambient('a'), workload('a/app', { replicas: 600 })])
  const taken = new Set([...many.pods.values()].map(({ ip }) => ip))
  assert.equal(taken.has(many.platform.istiod.ip), false)
  assert.equal(taken.size, 600)
})
