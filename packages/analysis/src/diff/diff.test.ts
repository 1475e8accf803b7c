import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Snapshot } from '@bulkhead/verdict'
import fc from 'fast-check'
import { cluster, shuffled } from '../testing/arbitrary.js'
import { gateway, route, ruleTo } from '../testing/gateway.js'
import {
  allow,
  authorizationPolicy,
  type Manifest,
  namespace,
  peerAuthentication,
  type SnapshotOptions,
  service,
  snapshotOf,
  workload,
} from '../testing/objects.js'
import { diffSnapshots } from './diff.js'
import { renderDiff } from './render.js'
import type { FlowChange, PolicyDiff } from './types.js'

const ports = [{ containerPort: 8080 }]
const people = [
  namespace('a'),
  workload('a/client'),
  workload('a/other'),
  workload('a/plain', { labels: { 'istio.io/dataplane-mode': 'none' } }),
  workload('a/server', { ports }),
  service('a/server'),
]
const policy = allow('a/server', 'server', ['client'])

function diff(before: readonly Manifest[], after: readonly Manifest[], options: SnapshotOptions = {}): PolicyDiff {
  const old = snapshotOf(before, options)
  return diffSnapshots(old, snapshotOf(after, { ...options, previous: old }))
}
const arrows = (changes: readonly FlowChange[]): string[] => changes.map(({ from, to }) => `${from} -> ${to}`)
const none = { added: [], changed: [], removed: [] }

test('what a rule more opens, and what one less closes', () => {
  const wider = allow('a/server', 'server', ['client', 'other'])
  const opening = diff([...people, policy], [...people, wider])
  assert.deepEqual(arrows(opening.opened), ['a/other -> a/server:80', 'a/other -> a/server:8080 (pod)'])
  assert.deepEqual([opening.closed, opening.decidedElsewhere], [[], []])
  assert.deepEqual(opening.objects, { ...none, changed: ['AuthorizationPolicy/a/server'] })
  assert.equal(opening.opened[0]?.before?.outcome, 'deny')
  assert.equal(opening.opened[0]?.after?.outcome, 'allow')
  const closing = diff([...people, wider], [...people, policy])
  assert.deepEqual(arrows(closing.closed), arrows(opening.opened))
  assert.deepEqual(closing.opened, [])
})

test('the same outcome for another reason is decided elsewhere', () => {
  // Without STRICT, what has no identity is still stopped: nobody lists it.
  const strict = peerAuthentication('a/default', 'STRICT')
  const weaker = diff([...people, policy, strict], [...people, policy])
  assert.deepEqual([weaker.opened, weaker.closed], [[], []])
  assert.deepEqual(arrows(weaker.decidedElsewhere), [
    'a/plain -> a/server:80',
    'a/plain -> a/server:8080 (pod)',
    'outside -> a/server:8080 (pod)',
  ])
  // Another policy lets the same caller.
  const renamed = diff([...people, policy], [...people, allow('a/by-another-name', 'server', ['client'])])
  assert.deepEqual(arrows(renamed.decidedElsewhere), ['a/client -> a/server:80', 'a/client -> a/server:8080 (pod)'])
  assert.deepEqual(renamed.objects, {
    added: ['AuthorizationPolicy/a/by-another-name'],
    changed: [],
    removed: ['AuthorizationPolicy/a/server'],
  })
})

test('the same policy in another layer decides elsewhere, and is no other object', () => {
  const before = snapshotOf([...people, policy], { layerOf: () => '50-identity' })
  const after = snapshotOf([...people, policy], { layerOf: () => '60-requests', previous: before })
  const moved = diffSnapshots(before, after)
  assert.equal(moved.decidedElsewhere.length, 2 * 4 - 1)
  assert.deepEqual([moved.opened, moved.closed, moved.objects], [[], [], none])
})

test('a Service that leads to another workload, and a route to another Service, are told', () => {
  const both = [...people, workload('a/next', { ports })]
  const elsewhere = both.map((object) =>
    object.kind === 'Service' ? service('a/server', { selector: { app: 'next' } }) : object,
  )
  const turned = diff(both, elsewhere)
  assert.deepEqual([turned.opened, turned.closed], [[], []])
  assert.deepEqual(arrows(turned.decidedElsewhere), [
    'a/client -> a/server:80',
    'a/other -> a/server:80',
    'a/plain -> a/server:80',
  ])
  assert.match(
    renderDiff(turned),
    /^ {4}now {5}it leads to a\/next; no ALLOW policy .*\n {4}before {2}it led to a\/server; no ALLOW policy/m,
  )
  const tier = { ports, labels: { tier: 'a' } }
  const one = [
    ...people.filter(({ metadata }) => metadata.name !== 'server'),
    workload('a/server', tier),
    service('a/server', { selector: tier.labels }),
  ]
  assert.match(
    renderDiff(diff(one, [...one, workload('a/thief', tier)])),
    /^~ .* → a\/server:80\n {4}now {5}it leads to a\/server or a\/thief; .*\n {4}before {2}it led to a\/server; /m,
  )
  // Of those that it selects, only a pod that has a port of the name takes connections.
  const byName = [
    ...people.filter(({ metadata }) => metadata.name !== 'server'),
    workload('a/server', { ...tier, ports: [{ containerPort: 8080, name: 'http' }] }),
    service('a/server', { selector: tier.labels, ports: [{ port: 80, targetPort: 'http' }] }),
  ]
  assert.doesNotMatch(renderDiff(diff(byName, [...byName, workload('a/thief', tier)])), /leads to/)
  const door = (to: string) => [gateway('a/gw', 'a.example'), route('a/r', 'gw', { rules: [ruleTo(to)] })]
  const services = [...both, service('a/next')]
  const routed = diff([...services, ...door('server')], [...services, ...door('next')])
  assert.equal(routed.decidedElsewhere.length, 6)
  assert.ok(routed.decidedElsewhere.every(({ to }) => to === 'a/gw http://a.example/'))
})

test('a rule that only moves in its policy is the same rule', () => {
  const rules = ['client', 'other'].map((name) => ({
    from: [{ source: { principals: [`cluster.local/ns/a/sa/${name}`] } }],
  }))
  const inOrder = (list: readonly object[]) =>
    authorizationPolicy('a/server', { selector: { matchLabels: { app: 'server' } }, rules: list })
  const moved = diff([...people, inOrder(rules)], [...people, inOrder([...rules].reverse())])
  assert.deepEqual([moved.opened, moved.closed, moved.decidedElsewhere], [[], [], []])
  assert.deepEqual(moved.objects.changed, ['AuthorizationPolicy/a/server'])
})

test('lines, file names, the order of documents and of keys are no change', () => {
  const before = snapshotOf([...people, policy])
  const { apiVersion, kind, metadata, ...rest } = policy
  const turned = { ...rest, metadata, kind, apiVersion } as Manifest
  const after = snapshotOf([turned, ...[...people].reverse()], { file: 'elsewhere.yaml' })
  const addresses = ({ pods }: Snapshot) => Object.fromEntries([...pods.values()].map(({ key, ip }) => [key, ip]))
  assert.notDeepEqual(addresses(before), addresses(after))
  assert.deepEqual(diffSnapshots(before, after), {
    opened: [],
    closed: [],
    decidedElsewhere: [],
    objects: none,
    asked: 4 * 2,
  })
})

test('pods with other names and addresses are no change', () => {
  const newTemplate = [...people.filter(({ metadata }) => metadata.name !== 'server'), service('a/server')]
  const rolled = workload('a/server', { ports, labels: { version: '2' } })
  const found = diff([...people, policy], [...newTemplate, rolled, policy])
  assert.deepEqual([found.opened, found.closed, found.decidedElsewhere], [[], [], []])
  assert.deepEqual(found.objects.changed, ['Deployment/a/server'])
})

test('what comes is opened, what goes is closed, and one side is absent', () => {
  const [, , ...without] = people
  const coming = diff([namespace('a'), ...without], people)
  assert.deepEqual(arrows(coming.opened), ['a/client -> a/server:80', 'a/client -> a/server:8080 (pod)'])
  assert.ok(coming.opened.every(({ before, after }) => before === undefined && after?.outcome === 'allow'))
  const going = diff(people, [namespace('a'), ...without])
  assert.ok(going.closed.every(({ before, after }) => before?.outcome === 'allow' && after === undefined))
  // A caller that comes and is let nowhere opens nothing.
  const stranger = diff([...people, policy], [...people, policy, workload('a/stranger')])
  assert.deepEqual([stranger.opened, stranger.closed], [[], []])
})

test('random clusters: the same is no change, whatever the order of its documents', () => {
  const pair = cluster.chain((objects) => fc.tuple(fc.constant(objects), shuffled(objects)))
  fc.assert(
    fc.property(pair, ([objects, other]) => {
      const found = diff(objects, other)
      assert.deepEqual([found.opened, found.closed, found.decidedElsewhere, found.objects], [[], [], [], none])
    }),
    { numRuns: 100 },
  )
})

test('random clusters: what one way opens, the other way closes', () => {
  fc.assert(
    fc.property(cluster, cluster, (a, b) => {
      const [before, after] = [snapshotOf(a), snapshotOf(b)]
      const [there, back] = [diffSnapshots(before, after), diffSnapshots(after, before)]
      assert.deepEqual(arrows(there.opened), arrows(back.closed))
      assert.deepEqual(arrows(there.closed), arrows(back.opened))
      assert.deepEqual(arrows(there.decidedElsewhere), arrows(back.decidedElsewhere))
      assert.deepEqual(there.objects.added, back.objects.removed)
      assert.equal(there.asked, back.asked)
    }),
    { numRuns: 100 },
  )
})
