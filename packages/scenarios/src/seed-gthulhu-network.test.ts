import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { judge, type Snapshot, symptoms } from '@bulkhead/verdict'
import { ask, changed, connect, root, said, seed, snapshotOf, walkedPast } from './testing/seed-gthulhu.js'

/*
 * The two network policies of the seeds, in the namespace that is enrolled in the mesh after them: what they let through, and what
 * they stop that should work. No other layer is on.
 */

const { workloads, ambient, networkPolicies, waypoint, gateway } = seed
const before = snapshotOf(workloads, networkPolicies)
const enrolled = snapshotOf(workloads, ambient, networkPolicies, waypoint)
const database = { service: 'gthulhu-mongodb' } as const
const scheduler = { pod: 'gthulhu-scheduler' } as const
const dropped = 'cni-ingress cni.default-deny'

const nodeOf = (name: string, { pods }: Snapshot): string =>
  [...pods.values()].find(({ workload }) => workload === `default/${name}`)?.node ?? assert.fail(name)

function probed(name: string, port: number, snapshot: Snapshot): string {
  const flow = { from: { node: nodeOf(name, snapshot) }, to: { workload: `default/${name}` }, port }
  return said(flow, snapshot)
}

describe('what they are for', () => {
  it('holds: the manager gets to both, and a pod of other labels to neither, in the mesh or not yet', () => {
    for (const snapshot of [before, enrolled]) {
      assert.equal(said(connect('gthulhu-manager', database, 27017), snapshot), 'allow')
      assert.equal(said(connect('gthulhu-manager', scheduler, 8080), snapshot), 'allow')
      for (const [to, port] of [
        [database, 27017],
        [scheduler, 8080],
      ] as const)
        assert.ok(said(connect('attacker', to, port), snapshot).startsWith(dropped))
    }
  })
})

describe('nc -z', () => {
  it('tells who is refused while nobody is in the mesh: the connect itself times out', () => {
    assert.equal(said(connect('attacker', database, 27017), before), `${dropped}, timeout`)
    assert.match(symptoms.timeout.says, /the connect timed out/)
  })

  it('tells nothing from then on: the connect succeeds, refused or not, and only a payload is closed upon', () => {
    assert.equal(said(connect('attacker', database, 27017), enrolled), `${dropped}, late-reset`)
    assert.match(symptoms['late-reset'].says, /^a connection that opened/)
    const allowed = judge(connect('gthulhu-manager', database, 27017), enrolled)
    assert.equal(allowed.symptom, 'ok')
  })
})

describe('the probes of the kubelet', () => {
  it('are cut as soon as the namespace is enrolled, since they come from another address then', () => {
    for (const [name, port] of [
      ['gthulhu-mongodb', 27017],
      ['gthulhu-scheduler', 8080],
    ] as const) {
      assert.equal(probed(name, port, before), 'allow', name)
      assert.ok(probed(name, port, enrolled).startsWith(dropped), name)
    }
    assert.equal(probed('gthulhu-manager', 8080, enrolled), 'allow', 'which no policy selects')
  })

  it('pass with the one address let in, as here', () => {
    const ours = join(root, 'k8s/layers/20-network/gthulhu/allow-probes.yaml')
    const allowed = changed(ours, '  namespace: gthulhu\n', '  namespace: default\n')
    const mended = snapshotOf(workloads, ambient, networkPolicies, allowed)
    assert.equal(probed('gthulhu-mongodb', 27017, mended), 'allow')
    assert.ok(said(connect('attacker', database, 27017), mended).startsWith(dropped))
  })
})

describe('labels as the only credential', () => {
  it('let in whoever wears them, to the database and the schedulers', () => {
    assert.equal(said(connect('thief', database, 27017), enrolled), 'allow')
    assert.equal(said(connect('thief', scheduler, 8080), enrolled), 'allow')
    const { pods } = enrolled
    const identities = [...pods.values()]
      .filter(({ workload }) => workload === 'default/thief')
      .map((pod) => pod.identity)
    assert.deepEqual(identities, ['spiffe://cluster.local/ns/default/sa/attacker'])
  })

  it('join the thief to the Service of the manager for its lifetime', () => {
    const endpoints = enrolled.services.get('default/gthulhu-manager')?.endpoints ?? []
    assert.ok(endpoints.some((key) => key === 'default/thief'))
  })
})

describe('15008 in the list of ports', () => {
  it('carries every port: one that the list leaves out is open all the same', () => {
    assert.equal(said(connect('gthulhu-manager', scheduler, 6060), enrolled), 'allow')
    assert.ok(said(connect('gthulhu-manager', scheduler, 6060), before).startsWith(dropped), 'and was not before')
  })

  it('leaves the app’s port beside it for plain text, from whoever has the labels and is out of the mesh', () => {
    const outOfMesh = changed(
      'workloads.yaml',
      'labels: { app: plain, istio.io/dataplane-mode: none }',
      'labels: { app.kubernetes.io/name: gthulhu, app.kubernetes.io/instance: gthulhu, app.kubernetes.io/component: manager, istio.io/dataplane-mode: none }',
    )
    const snapshot = snapshotOf(outOfMesh, ambient, networkPolicies)
    const { outcome, hops } = judge(connect('plain', { pod: 'gthulhu-mongodb' }, 27017), snapshot)
    assert.deepEqual([outcome, hops[0]?.tuple.port, hops[0]?.as], ['allow', 27017, undefined])
  })
})

describe('what they leave out', () => {
  it('is the manager, which any pod may call', () => {
    for (const from of ['attacker', 'plain'])
      assert.equal(said(connect(from, { pod: 'gthulhu-manager' }, 8080), enrolled), 'allow', from)
  })

  it('is whatever leaves: the database may go outside', () => {
    const flow = { from: { workload: 'default/gthulhu-mongodb' }, to: { ip: '203.0.113.66' }, port: 443 }
    assert.equal(said(flow, enrolled), 'allow')
  })

  it('is Prometheus, which was to read the schedulers and is dropped', () => {
    assert.ok(said(connect('prometheus', scheduler, 8080), enrolled).startsWith(dropped))
  })
})

describe('a waypoint in front', () => {
  it('is walked past by who calls a headless Service, and that is why the database still answers', () => {
    const flow = connect('gthulhu-manager', database, 27017)
    assert.deepEqual(walkedPast(flow, enrolled), ['pod-address'])
    assert.equal(said(flow, enrolled), 'allow')
  })

  it('cuts off a database whose Service has an address: its packets are the waypoint’s, which the policy does not know', () => {
    const withAddress = changed(
      'workloads.yaml',
      '  clusterIP: None\n  selector: { app.kubernetes.io/name: mongodb,',
      '  selector: { app.kubernetes.io/name: mongodb,',
    )
    const snapshot = snapshotOf(withAddress, ambient, networkPolicies, waypoint)
    const flow = connect('gthulhu-manager', database, 27017)
    const { steps, decidedBy, hops } = judge(flow, snapshot)
    assert.deepEqual(
      hops.map(({ to }) => to),
      ['default/waypoint', 'default/gthulhu-mongodb'],
    )
    assert.deepEqual(walkedPast(flow, snapshot), [])
    assert.ok(said(flow, snapshot).startsWith(dropped))
    assert.equal(steps[decidedBy?.step ?? -1]?.hop, 1, 'behind the waypoint')
    assert.equal(said(flow, snapshotOf(withAddress, ambient, networkPolicies)), 'allow', 'until there is a waypoint')
  })

  it('is in front of the manager, which no policy selects, so that its callers see nothing of this', () => {
    const snapshot = snapshotOf(workloads, ambient, networkPolicies, waypoint, gateway)
    assert.equal(said(ask('gthulhu-scheduler', 'gthulhu-manager', 8080), snapshot), 'allow')
  })
})
