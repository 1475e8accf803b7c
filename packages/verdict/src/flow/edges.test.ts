import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '../model/compile.js'
import {
  ambient,
  authorizationPolicy,
  ciliumPolicy,
  namespace,
  peerAuthentication,
  resource,
  service,
  unreadPolicy,
  workload,
} from '../testing/objects.js'
import { dst, outside, plain, scene, short, snapshotWith, src, verdict } from '../testing/scene.js'
import type { FlowSource } from '../types.js'
import { judge } from './judge.js'

const nothing = authorizationPolicy('app/nothing', {})
const strict = peerAuthentication('app/default', { mtls: { mode: 'STRICT' } })

/** The nodes of app/dst's pod and the other one. */
const snapshot = snapshotWith(strict, nothing)
const node = [...snapshot.pods.values()].find((pod) => pod.workload === 'app/dst')?.node ?? ''
const otherNode = snapshot.nodes.find(({ name }) => name !== node)?.name ?? ''

test('C.8 what a node sends to a captured pod of its own comes from the probe address, past ztunnel', () => {
  const of = verdict([strict, nothing], { node })
  assert.equal(of.outcome, 'allow')
  assert.equal(of.hops[0]?.tuple.src, '169.254.7.127')
  assert.deepEqual(
    of.steps.map(({ point, outcome, code }) => [point, outcome, code]),
    [
      ['cni-ingress', 'allow', 'network.no-policy'],
      ['ztunnel', 'not-applicable', 'past-ztunnel'],
    ],
  )
  // Another node's packet is forwarded, and so like anybody's.
  const far = verdict([strict, nothing], { node: otherNode })
  assert.deepEqual(short(far), { outcome: 'deny', symptom: 'reset', code: 'mtls.strict-no-identity' })
  assert.match(far.hops[0]?.tuple.src ?? '', /^172\.18\./)
  // A pod that is not captured is probed from the node's own address.
  const uncaptured = [...snapshot.pods.values()].find((pod) => pod.workload === 'app/uncaptured')
  assert.match(
    verdict([], { node: uncaptured?.node ?? '' }, { workload: 'app/uncaptured' }).hops[0]?.tuple.src ?? '',
    /^172\.18\./,
  )
})

test('what a policy for nodes would keep in of a node’s own is unknown, not allowed', () => {
  const egress = (...toPorts: readonly string[]) =>
    ciliumPolicy('host-firewall', {
      nodeSelector: { matchLabels: { 'kubernetes.io/hostname': node } },
      egress: [{ toEntities: ['cluster'], toPorts: [{ ports: toPorts.map((port) => ({ port, protocol: 'TCP' })) }] }],
    })
  for (const to of [{ workload: 'app/dst' }, { node: otherNode }, { ip: '172.18.0.2' }]) {
    const kept = judge({ from: { node }, to, port: 8080 }, snapshotWith(egress('81')))
    assert.equal(kept.outcome, 'unknown')
    assert.deepEqual(
      kept.steps
        .filter(({ outcome }) => outcome === 'unknown')
        .map(({ point, code, policy, facts }) => [point, code, policy, facts?.what]),
      [
        [
          'cni-egress',
          'not-modelled',
          'CiliumClusterwideNetworkPolicy/host-firewall',
          `a nodeSelector for what node ${node} itself sends`,
        ],
      ],
    )
    // What it lets out, what it is not about, and what never leaves the node.
    assert.equal(judge({ from: { node }, to, port: 8080 }, snapshotWith(egress('8080'))).outcome, 'allow')
    const other = judge(
      { from: { node: otherNode }, to: { workload: 'app/dst' }, port: 8080 },
      snapshotWith(egress('81')),
    )
    assert.equal(other.outcome, 'allow')
  }
  assert.equal(judge({ from: { node }, to: { node }, port: 8080 }, snapshotWith(egress('81'))).outcome, 'allow')
  const denying = ciliumPolicy('host-firewall', { nodeSelector: {}, egressDeny: [{ toEntities: ['all'] }] })
  assert.equal(
    judge({ from: { node }, to: { workload: 'app/dst' }, port: 8080 }, snapshotWith(denying)).outcome,
    'unknown',
  )
})

test('of several pods a node calls its own', () => {
  const objects = [ambient('app'), workload('app/agent', { kind: 'DaemonSet', ports: [{ containerPort: 80 }] }), strict]
  const set = compile(objects)
  for (const { name } of set.nodes) {
    const of = judge({ from: { node: name }, to: { workload: 'app/agent' }, port: 80 }, set)
    assert.equal(of.outcome, 'allow', name)
  }
})

test('the probe address is the node’s alone: no pod gets past ztunnel with it', () => {
  for (const external of ['169.254.7.127', '::ffff:169.254.7.127', 'FD16:9254:7127:1337:FFFF:FFFF:FFFF:FFFF']) {
    assert.equal(verdict([strict, nothing], { external }).outcome, 'allow', external)
  }
  for (const mesh of [true, false]) {
    const spoofer: FlowSource = { namespace: 'app', labels: { app: 'x' }, ip: '169.254.7.127', mesh }
    assert.equal(verdict([nothing], spoofer).outcome, 'deny', `mesh ${mesh}`)
  }
})

test('ztunnel’s own ports are nobody’s to call', () => {
  const own = { outcome: 'deny', symptom: 'reset', code: 'hbone.own-port' }
  for (const port of [15001, 15006, 15008]) assert.deepEqual(short(verdict([], src, dst, port)), own, String(port))
  for (const port of [15001, 15006]) assert.deepEqual(short(verdict([], plain, dst, port)), own, String(port))
  assert.deepEqual(short(verdict([], plain, dst, 15008)), {
    outcome: 'deny',
    symptom: 'tls-refused',
    code: 'hbone.no-certificate',
  })
  // Its own too: by loopback and by address.
  for (const to of [{ ip: '127.0.0.1' }, { workload: 'app/src' }])
    assert.deepEqual(short(verdict([], src, to, 15006)), own)
  // Where there is no ztunnel they are ports like any other.
  assert.equal(short(verdict([], plain, { workload: 'app/uncaptured' }, 15008)).code, 'network.nothing-listens')
})

test('a captured caller’s own ztunnel takes what it sends to an HBONE port: no certificate of its own gets there', () => {
  assert.deepEqual(short(verdict([], src, dst, 8080, { certificate: 'self-signed' })), {
    outcome: 'deny',
    symptom: 'reset',
    code: 'hbone.own-port',
  })
})

test('a certificate is shown at a pod’s HBONE port, over TCP', () => {
  const certificate = 'none'
  for (const to of [{ ip: '8.8.8.8' }, { host: 'example.com' }, { node }]) {
    assert.throws(() => verdict([], plain, to, 443, { certificate }), {
      name: 'FlowError',
      code: 'flow.invalid',
      message: /"certificate" is shown at a pod's HBONE port, and .* is no pod/,
    })
  }
  assert.throws(() => verdict([], plain, dst, 8080, { certificate, protocol: 'UDP' }), {
    code: 'flow.invalid',
    message: /"certificate" goes with TCP, not with "UDP"/,
  })
})

test('nothing is allowed without a step that says so', () => {
  const toNode = verdict([], outside, { node }, 22)
  assert.deepEqual(
    toNode.steps.map(({ point, outcome, code }) => [point, outcome, code]),
    [['cni-ingress', 'allow', 'network.no-policy']],
  )
  const firewall = ciliumPolicy('host-firewall', { nodeSelector: {}, ingress: [{}] })
  assert.equal(verdict([firewall], outside, { node }, 22).outcome, 'deny')
  assert.equal(verdict([unreadPolicy('p')], outside, { node }, 22).outcome, 'unknown')
  // Between two places outside the cluster no wall of it stands.
  for (const from of [outside, { node }]) {
    const of = verdict([], from, { host: 'example.com', ip: '93.184.216.34' }, 443)
    assert.deepEqual([of.outcome, short(of).code], ['unknown', 'not-modelled'])
  }
})

test('UDP to a captured pod: the step says that ztunnel is not asked', () => {
  const to = { namespace: 'app', labels: { app: 'dst' } }
  const of = verdict([strict, nothing], src, to, 53, { protocol: 'UDP' })
  assert.equal(of.steps.at(-1)?.code, 'past-ztunnel')
  assert.equal(of.outcome, 'allow')
})

test('between two pods of one workload there is a wall', () => {
  const twins = [ambient('app'), workload('app/twin', { replicas: 2, ports: [{ containerPort: 80 }] }), nothing]
  const of = judge({ from: { workload: 'app/twin' }, to: { workload: 'app/twin' }, port: 80 }, compile(twins))
  assert.equal(short(of).code, 'authz.no-rule-allows')
})

test('a port that the Service does not have: nothing is sent to any pod, so no wall of one is in the way', () => {
  const to = { service: 'app/dst' }
  const inMesh = verdict([nothing], src, to, 8080)
  assert.deepEqual(short(inMesh), { outcome: 'deny', symptom: 'reset', code: 'network.nothing-listens' })
  assert.deepEqual(
    inMesh.steps.map(({ point }) => point),
    ['cni-ingress'],
  )
  assert.equal(inMesh.hops[0]?.to, 'app/dst')
  assert.match(inMesh.hops[0]?.tuple.dst ?? '', /^10\.96\./)
  assert.deepEqual(short(verdict([nothing], plain, to, 8080)).symptom, 'refused')
})

test('a named targetPort that one pod lacks: only the others are endpoints of it', () => {
  const labels = { app: 'mixed' }
  const set = compile([
    ambient('app'),
    workload('app/a', { labels, ports: [{ containerPort: 80 }] }),
    workload('app/b', { labels, ports: [{ name: 'http', containerPort: 8888 }] }),
    workload('app/src'),
    service('app/mixed', { targetPort: 'http' }),
    service('app/none', { selector: labels, targetPort: 'grpc' }),
  ])
  assert.equal(judge({ from: src, to: { service: 'app/mixed' }, port: 80 }, set).hops[0]?.to, 'app/b')
  assert.equal(short(judge({ from: src, to: { service: 'app/none' }, port: 80 }, set)).code, 'network.no-endpoint')
})

test('an object without a namespace is in `default`', () => {
  const bare = resource({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'one', labels: { app: 'one' } },
    spec: { containers: [{ name: 'main', image: 'x', ports: [{ containerPort: 80 }] }] },
  })
  const policy = resource({ apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', metadata: { name: 'p' } })
  const set = compile([...scene, ambient('default'), bare, policy])
  assert.equal(short(judge({ from: src, to: { workload: 'default/one' }, port: 80 }, set)).code, 'authz.no-rule-allows')
})

test('labels of a described pod are compared as they are: no text of theirs makes it another', () => {
  const onTwo = authorizationPolicy('app/two', { selector: { matchLabels: { a: 'b', c: 'd' } } })
  const set = compile([ambient('app'), workload('app/src'), onTwo])
  const asked = (labels: Record<string, string>): string =>
    judge({ from: src, to: { namespace: 'app', labels }, port: 80 }, set).outcome
  assert.equal(asked({ a: 'b\nc=d' }), 'allow')
  assert.equal(asked({ a: 'b', c: 'd' }), 'deny')
  assert.equal(asked({ 'a=b\nc': 'd' }), 'allow')
})

test('a described pod with a sidecar is as unknown as a real one', () => {
  const labels = { app: 'x', 'sidecar.istio.io/inject': 'true' }
  assert.equal(verdict([], src, { namespace: 'app', labels }).outcome, 'unknown')
  assert.equal(verdict([], { namespace: 'app', labels }).outcome, 'unknown')
  assert.equal(verdict([], src, { namespace: 'app', labels, mesh: true }).outcome, 'allow', 'unless the flow says')
  const revised = namespace('rev', { 'istio.io/rev': 'canary' })
  assert.equal(verdict([revised], src, { namespace: 'rev', labels: {} }).outcome, 'unknown')
})
