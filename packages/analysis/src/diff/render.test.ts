import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject } from '@bulkhead/resources'
import fc from 'fast-check'
import { cluster } from '../testing/arbitrary.js'
import { allowAt, gateway, route, ruleTo } from '../testing/gateway.js'
import {
  allow,
  authorizationPolicy,
  type Manifest,
  namespace,
  peerAuthentication,
  service,
  snapshotOf,
  workload,
} from '../testing/objects.js'
import { diffSnapshots } from './diff.js'
import { groupsOf } from './groups.js'
import { diffJson } from './json.js'
import { diffMarkdown } from './markdown.js'
import { renderDiff } from './render.js'
import type { PolicyDiff } from './types.js'

const layers: Readonly<Record<string, string>> = { PeerAuthentication: '40-mtls', AuthorizationPolicy: '50-identity' }
function diff(before: readonly Manifest[], after: readonly Manifest[]): PolicyDiff {
  const options = { layerOf: ({ kind }: KubernetesObject) => layers[kind] }
  const old = snapshotOf(before, options)
  return diffSnapshots(old, snapshotOf(after, { ...options, previous: old }))
}

const scene = [namespace('a'), workload('a/one'), workload('a/two'), workload('a/server'), service('a/server')]
const closed = authorizationPolicy('a/allow-nothing', {})
const toOne = allow('a/server', 'server', ['one'])

test('nothing opened and nothing closed is one line, with the objects that differ', () => {
  assert.equal(renderDiff(diff(scene, scene)), 'nothing opened, nothing closed; no object differs (6 flows asked)\n')
  const idle = renderDiff(diff([...scene, closed], [...scene, closed, allow('a/idle', 'nobody', ['one'])]))
  assert.equal(idle, 'nothing opened, nothing closed; added: AuthorizationPolicy/a/idle (6 flows asked)\n')
})

test('what opens has the rule that lets it, with its place; what closes has who stops it, and what the caller sees', () => {
  assert.match(
    renderDiff(diff([...scene, closed, toOne], [...scene, closed, allow('a/server', 'server', ['two'])])),
    /^2 flows opened, 2 closed \(6 asked\)\n\+ {2}a\/two → a\/server:80, a\/server:8080 \(pod\)\n {4}now {5}rule 0 of AuthorizationPolicy\/a\/server \(test\.yaml:\d+\)\n {4}before {2}50-identity: no rule lists it\n- {2}a\/one → a\/server:80, a\/server:8080 \(pod\)\n {4}now {5}50-identity: no rule of AuthorizationPolicy\/a\/allow-nothing \(test\.yaml:\d+\) or AuthorizationPolicy\/a\/server \(test\.yaml:\d+\) lists it\n {4}seen {4}a connection that opened and was closed without a byte \(curl .*\)\n {4}before {2}rule 0 of AuthorizationPolicy\/a\/server\nobjects changed: AuthorizationPolicy\/a\/server\n$/,
  )
})

test('what only moved says so in the first line, and briefly', () => {
  const plain = workload('a/plain', { labels: { 'istio.io/dataplane-mode': 'none' } })
  const strict = peerAuthentication('a/default', 'STRICT')
  const text = renderDiff(diff([...scene, plain, closed, strict], [...scene, plain, closed]))
  assert.match(text, /^nothing opened, nothing closed; \d flows decided elsewhere \(8 flows asked\)\n~ /)
  assert.match(
    text,
    /now {5}50-identity: no rule lists it\n {4}before {2}40-mtls: PeerAuthentication\/a\/default says STRICT/,
  )
  assert.doesNotMatch(text, /seen/)
})

test('of a request that another route takes, the routes are told, and not the policy behind both', () => {
  const door = [gateway('a/gw', 'a.example'), route('a/r', 'gw', { rules: [ruleTo('server')] })]
  const behind = allow('a/server', 'server', ['gw-istio'])
  const open = allowAt('a/gw', 'gw', [{ to: [{ operation: { methods: ['GET'] } }] }])
  const before = [...scene, closed, behind, open, ...door]
  const text = renderDiff(diff(before, [...before, route('a/q', 'gw', { rules: [ruleTo('server')] })]))
  assert.match(text, /now {5}rule 0 of HTTPRoute\/a\/q \(.*\n {4}before {2}rule 0 of HTTPRoute\/a\/r\n/)
})

test('at a gateway: what lets it there, and for what is new every rule on its way', () => {
  const door = [gateway('a/gw', 'a.example'), route('a/r', 'gw', { rules: [ruleTo('server')] })]
  const behind = allow('a/server', 'server', ['gw-istio'])
  const open = allowAt('a/gw', 'gw', [{ to: [{ operation: { methods: ['GET'] } }] }])
  const opened = renderDiff(diff([...scene, closed, behind, ...door], [...scene, closed, behind, ...door, open]))
  assert.match(
    opened,
    /^\+ {2}.*outside.* → a\/gw http:\/\/a\.example\/\n {4}now {5}rule 0 of AuthorizationPolicy\/a\/gw \(test\.yaml:\d+\)$/m,
  )
  const fresh = renderDiff(diff([...scene, closed, behind], [...scene, closed, behind, ...door, open]))
  const rules = ['AuthorizationPolicy/a/gw', 'HTTPRoute/a/r', 'AuthorizationPolicy/a/server']
  assert.match(
    fresh,
    new RegExp(
      `now {5}${rules.map((id) => `rule 0 of ${id} \\(test\\.yaml:\\d+\\)`).join('; ')}\\n {4}before {2}it was not there`,
    ),
  )
  const cut = renderDiff(diff([...scene, closed, behind, ...door, open], [...scene, closed, ...door, open]))
  assert.match(cut, /seen {4}503: the gateway or waypoint could not reach the service/)
})

test('a limit leaves groups out, and says how many flows they are', () => {
  const text = renderDiff(diff([...scene, closed], scene), { most: 1 })
  assert.equal(text.split('\n').filter((line) => line.startsWith('+')).length, 1)
  assert.equal(renderDiff(diff([...scene, closed], scene), { most: 0 }).split('\n')[1], '  and 5 more flows')
})

test('a diff that came as JSON is said in the same words', () => {
  const found = diff([...scene, closed, toOne], scene)
  assert.equal(renderDiff(JSON.parse(JSON.stringify(found)) as PolicyDiff), renderDiff(found))
})

test('JSON holds no addresses; Markdown has a row for each group', () => {
  const found = diff([...scene, closed, toOne], scene)
  assert.doesNotMatch(JSON.stringify(diffJson(found)), /10\.(244|96)\./)
  const rows = diffMarkdown(found)
    .split('\n')
    .filter((line) => /^\| (➕|➖|~) \|/.test(line))
  assert.equal(rows.length, groupsOf(found).length)
  for (const row of rows) assert.equal(row.split(' | ').length, 5)
})

test('random changes: the groups are the changes, no more and no less', () => {
  fc.assert(
    fc.property(cluster, cluster, (a, b) => {
      const found = diff(a, b)
      for (const [sign, changes] of [
        ['+', found.opened],
        ['-', found.closed],
        ['~', found.decidedElsewhere],
      ] as const) {
        const told = groupsOf(found)
          .filter((group) => group.sign === sign)
          .flatMap(({ from, to }) => from.flatMap((caller) => to.map((whom) => `${caller} ${whom}`)))
        assert.deepEqual(told.sort(), changes.map(({ from, to }) => `${from} ${to}`).sort())
      }
      assert.ok(renderDiff(found).endsWith('\n') && diffMarkdown(found).endsWith('\n'))
    }),
    { numRuns: 50 },
  )
})
