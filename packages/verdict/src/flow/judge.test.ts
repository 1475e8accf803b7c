import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '../model/compile.js'
import {
  ambient,
  authorizationPolicy,
  peerAuthentication,
  service,
  unreadPolicy,
  workload,
} from '../testing/objects.js'
import { dst, onDst, outside, plain, scene, short, snapshotWith, src, srcPrincipal, verdict } from '../testing/scene.js'
import { judge } from './judge.js'

const nothing = authorizationPolicy('app/nothing', {}, { layer: '50-identity' })
const strict = peerAuthentication('app/default', { mtls: { mode: 'STRICT' } }, { layer: '40-mtls' })
const srcOnly = authorizationPolicy(
  'app/src-only',
  { selector: onDst, rules: [{ from: [{ source: { principals: [srcPrincipal] } }] }] },
  { layer: '50-identity', file: 'k8s/src-only.yaml' },
)

test('mesh to mesh: the packet goes to 15008 and carries the identity of the caller', () => {
  const snapshot = snapshotWith()
  const of = judge({ id: 'x', from: src, to: { service: 'app/dst' }, port: 80 }, snapshot)
  const pod = (key: string): string => [...snapshot.pods.values()].find(({ workload }) => workload === key)?.ip ?? ''
  assert.deepEqual(of.hops, [
    {
      from: 'app/src',
      to: 'app/dst',
      tuple: { src: pod('app/src'), dst: pod('app/dst'), port: 15008, protocol: 'TCP' },
      as: 'spiffe://cluster.local/ns/app/sa/src',
    },
  ])
  assert.deepEqual(
    of.steps.map(({ point, code }) => [point, code]),
    [
      ['cni-egress', 'network.no-policy'],
      ['cni-ingress', 'network.no-policy'],
      ['ztunnel', 'mtls.no-policy'],
      ['ztunnel', 'authz.no-allow-policy'],
    ],
  )
  assert.equal(of.id, 'x')
  assert.equal(of.symptom, 'ok')
  assert.equal(of.decidedBy, undefined)
})

test('from outside the mesh: plain text to the app port, without an identity', () => {
  const of = verdict([], plain, { service: 'app/dst' }, 80)
  assert.equal(of.hops[0]?.tuple.port, 8080)
  assert.equal(of.hops[0]?.as, undefined)
})

test('every step is judged, also after a deny, and the first deny in the path decides', () => {
  const of = verdict([strict, nothing], plain)
  assert.deepEqual(
    of.steps.map(({ code, outcome, layer }) => [code, outcome, layer]),
    [
      ['network.no-policy', 'allow', undefined],
      ['network.no-policy', 'allow', undefined],
      ['mtls.strict-no-identity', 'deny', '40-mtls'],
      ['authz.no-rule-allows', 'deny', '50-identity'],
    ],
  )
  assert.deepEqual(of.decidedBy, { hop: 0, step: 2 })
  assert.equal(of.symptom, 'reset')
})

test('a default deny accuses nobody: it names every policy that isolates, each with its layer and line', () => {
  const step = verdict([nothing, srcOnly], { workload: 'app/src2' }).steps.at(-1)
  assert.equal(step?.policy, undefined)
  assert.deepEqual(step?.isolatedBy, [
    { policy: 'AuthorizationPolicy/app/nothing', layer: '50-identity', at: 'nothing.yaml:7' },
    { policy: 'AuthorizationPolicy/app/src-only', layer: '50-identity', at: 'k8s/src-only.yaml:11' },
  ])
  assert.deepEqual(step?.closest, {
    policy: 'AuthorizationPolicy/app/src-only',
    rule: 0,
    at: 'k8s/src-only.yaml:12',
    lacks: [{ attribute: 'principals', wants: [srcPrincipal], has: 'cluster.local/ns/app/sa/src2' }],
  })
})

test('a rule that decides is named with its index and line', () => {
  const step = verdict([srcOnly], src).steps.at(-1)
  assert.deepEqual(
    [step?.code, step?.policy, step?.rule, step?.at, step?.layer],
    ['authz.rule-allows', 'AuthorizationPolicy/app/src-only', 0, 'k8s/src-only.yaml:12', '50-identity'],
  )
})

test('loopback reaches only the own ports, and crosses no wall', () => {
  const own = { workload: 'app/dst' }
  for (const to of [{ ip: '127.0.0.1' }, { host: 'localhost' }, { ip: '0.0.0.0' }, own]) {
    const of = verdict([nothing, strict], own, to, 8080)
    assert.deepEqual(short(of), { outcome: 'allow', symptom: 'ok', code: 'network.loopback' })
    assert.deepEqual(short(verdict([], own, to, 5432)), {
      outcome: 'deny',
      symptom: 'refused',
      code: 'network.nothing-listens',
    })
  }
  const snapshot = snapshotWith()
  const ip = [...snapshot.pods.values()].find((pod) => pod.workload === 'app/dst')?.ip ?? ''
  assert.equal(short(judge({ from: own, to: { ip }, port: 8080 }, snapshot)).code, 'network.loopback')
  assert.equal(judge({ from: src, to: { ip }, port: 8080 }, snapshot).hops[0]?.tuple.port, 15008)
})

test('nothing listens: the mesh resets, a direct client is refused; the walls before it are judged all the same', () => {
  const of = verdict([], src, dst, 4444)
  assert.deepEqual(short(of), { outcome: 'deny', symptom: 'reset', code: 'network.nothing-listens' })
  assert.equal(of.steps.filter((step) => step.point === 'ztunnel').length, 2)
  assert.equal(short(verdict([], plain, dst, 4444)).symptom, 'refused')
  assert.equal(short(verdict([nothing], src, dst, 4444)).code, 'authz.no-rule-allows')
  // A port that the Service does not have leads nowhere, though the pod listens on it.
  assert.deepEqual(short(verdict([], src, { service: 'app/dst' }, 8080)), {
    outcome: 'deny',
    symptom: 'reset',
    code: 'network.nothing-listens',
  })
})

test('no endpoint, no such name, no such address', () => {
  const lonely = service('app/lonely', { port: 80 })
  assert.deepEqual(short(verdict([lonely], src, { service: 'app/lonely' }, 80)), {
    outcome: 'deny',
    symptom: 'reset',
    code: 'network.no-endpoint',
  })
  assert.equal(short(verdict([lonely], plain, { service: 'app/lonely' }, 80)).symptom, 'refused')
  assert.deepEqual(short(verdict([], src, { host: 'nobody' }, 80)), {
    outcome: 'deny',
    symptom: 'dns-not-found',
    code: 'network.no-such-name',
  })
  assert.deepEqual(short(verdict([], src, { ip: '10.244.9.9' }, 80)), {
    outcome: 'deny',
    symptom: 'late-reset',
    code: 'network.unreachable',
  })
  assert.equal(short(verdict([], plain, { ip: '10.244.9.9' }, 80)).symptom, 'timeout')
})

test('a certificate that is not the own one: the HBONE port refuses it, whatever the policies say', () => {
  for (const [certificate, code] of [
    ['none', 'hbone.no-certificate'],
    ['self-signed', 'hbone.untrusted-certificate'],
    ['other-domain', 'hbone.untrusted-certificate'],
    ['expired', 'hbone.expired-certificate'],
    ['stolen', 'hbone.stolen-certificate'],
  ] as const) {
    const of = verdict([srcOnly], plain, dst, 8080, { certificate })
    assert.deepEqual(short(of), { outcome: 'deny', symptom: 'tls-refused', code })
    assert.equal(of.hops[0]?.tuple.port, 15008)
    assert.deepEqual(
      of.steps.map(({ point, layer }) => [point, layer]),
      [
        ['cni-egress', undefined],
        ['cni-ingress', undefined],
        ['ztunnel', undefined],
      ],
    )
  }
  const of = verdict([], plain, { workload: 'app/uncaptured' }, 8080, { certificate: 'none' })
  assert.deepEqual(short(of), { outcome: 'deny', symptom: 'refused', code: 'network.nothing-listens' })
})

test('UDP is none of ztunnel’s business', () => {
  const of = judge(
    { from: src, to: { namespace: 'app', labels: { app: 'dst' }, mesh: true }, port: 53, protocol: 'UDP' },
    snapshotWith(strict, nothing),
  )
  assert.equal(of.outcome, 'allow')
  assert.deepEqual(
    of.steps.map(({ point }) => point),
    ['cni-egress', 'cni-ingress', 'ztunnel'],
  )
  assert.equal(of.steps[2]?.outcome, 'not-applicable')
})

test('the kubelet goes past ztunnel', () => {
  const of = verdict([strict, nothing], { external: '169.254.7.127' })
  assert.equal(of.outcome, 'allow')
  assert.equal(verdict([strict], outside).outcome, 'deny')
})

test('a pod that is only described: a thief of labels has not the identity', () => {
  const thief = { namespace: 'app', labels: { app: 'src' }, serviceAccount: 'thief' }
  assert.equal(short(verdict([srcOnly], thief)).code, 'authz.no-rule-allows')
  assert.equal(verdict([srcOnly], { ...thief, serviceAccount: 'src' }).outcome, 'allow')
  assert.equal(short(verdict([strict], { ...thief, mesh: false })).code, 'mtls.strict-no-identity')
  assert.equal(short(verdict([strict], { ...thief, hostNetwork: true })).code, 'mtls.strict-no-identity')
})

test('an endpoint that is not the caller is preferred', () => {
  const snapshot = compile([
    ambient('app'),
    workload('app/twin', { replicas: 2, ports: [{ containerPort: 80 }] }),
    service('app/twin'),
  ])
  const [first] = snapshot.services.get('app/twin')?.endpoints ?? []
  const of = judge({ from: { workload: first ?? '' }, to: { service: 'app/twin' }, port: 80 }, snapshot)
  assert.notEqual(of.hops[0]?.tuple.dst, snapshot.pods.get(first ?? '')?.ip)
})

test('unknown: what is not modelled never passes in silence, and a certain deny outweighs it', () => {
  const of = verdict([unreadPolicy('np')], src)
  assert.equal(of.outcome, 'unknown')
  assert.match(of.text, /UNKNOWN: AdminNetworkPolicy\/np is not modelled/)
  assert.equal(verdict([unreadPolicy('np'), nothing], src).outcome, 'deny')
  // A field that no version of ours knows.
  const strange = authorizationPolicy('app/p', {
    selector: onDst,
    rules: JSON.parse('[{"from":[{"source":{"planets":["mars"]}}]}]'),
  })
  assert.equal(short(verdict([strange], src)).code, 'not-modelled')
  // A sidecar enforces in ztunnel's place.
  const sidecar = workload('app/side', {
    annotations: { 'sidecar.istio.io/status': '{}' },
    ports: [{ containerPort: 80 }],
  })
  const behind = [...scene, sidecar, service('app/side')]
  assert.equal(judge({ from: src, to: { service: 'app/side' }, port: 80 }, compile(behind)).outcome, 'unknown')
  assert.equal(judge({ from: { workload: 'app/side' }, to: dst, port: 8080 }, compile(behind)).outcome, 'unknown')
  const external = service('app/ext', { type: 'ExternalName' })
  assert.equal(verdict([external], src, { service: 'app/ext' }, 80).outcome, 'unknown')
})

test('a flow that names nothing real is an error that quotes it and offers what is near', () => {
  const bad = (change: object): unknown => {
    try {
      judge({ from: src, to: dst, port: 8080, ...change }, snapshotWith(workload('app/idle', { replicas: 0 })))
    } catch (error) {
      assert.ok(error instanceof Error)
      return error.message
    }
    return assert.fail('no error')
  }
  assert.equal(
    bad({ from: { workload: 'app/scr' } }),
    'there is no workload "app/scr"; did you mean "app/src" or "app/src2"?',
  )
  assert.match(
    String(bad({ to: { workload: 'other/dst' } })),
    /there is no workload "other\/dst"; did you mean .*"app\/dst"/,
  )
  assert.equal(bad({ to: { service: 'app/dts' } }), 'there is no Service "app/dts"; did you mean "app/dst"?')
  assert.equal(bad({ to: { workload: 'app/idle' } }), '"app/idle" runs no pods: its replicas are 0')
  assert.match(String(bad({ from: { node: 'worker' } })), /there is no node "worker"; did you mean "bulkhead-worker"/)
  assert.match(
    String(bad({ from: { workload: 'app/src', node: 'bulkhead-worker2' } })),
    /"app\/src" runs no pod on node "bulkhead-worker2"; did you mean "bulkhead-worker"/,
  )
})
