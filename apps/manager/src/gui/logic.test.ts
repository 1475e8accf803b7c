import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyText } from '@bulkhead/testing/text'
import fc from 'fast-check'
import { managerErrors } from '../http/errors.js'
import { permissionKeys } from '../http/route.js'
import { idleLimits } from '../store/permissions.js'
import { ApiError, failureOf } from './client/api/failure.js'
import { checkedOf, remember } from './client/logic/health.js'
import { byNode } from './client/logic/intents.js'
import { limitsOf, may, mayOpen, needed } from './client/logic/may.js'
import { byName } from './client/logic/processes.js'
import { groupWords, placeRoleProblems, toggled, wholePolicy } from './client/logic/role-draft.js'
import { criteriaWords, draftOf, emptyDraft, placeProblems, readDraft } from './client/logic/strategy-draft.js'
import { fieldTime, madeUpPassword, newKey } from './client/logic/times.js'
import { tell } from './client/logic/told.js'
import { linkTo, type Where, whereOf } from './client/logic/where.js'
import { agoWords, durationWords, receiptWords, targetWords } from './client/logic/words.js'

const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes)

test('every place has a link that leads to it, and whatever else stands there is nowhere', () => {
  const id = '0123456789abcdef01234567'
  const places: readonly Where[] = [
    { screen: 'overview' },
    { screen: 'strategy-new' },
    { screen: 'strategy', id },
    { screen: 'role', id },
    { screen: 'node', name: 'a/b ü<>' },
    { screen: 'audit' },
  ]
  for (const place of places) assert.deepEqual(whereOf(linkTo(place)), place)
  assert.deepEqual(whereOf(''), { screen: 'overview' })
  for (const hash of ['#/x', '#/strategies/1', '#/nodes/%ff', '#/constructor', '#/nodes/a/b', '#/roles/new/x'])
    assert.equal(whereOf(hash).screen, 'nowhere', hash)
  fc.assert(
    fc.property(anyText(), (text) => {
      assert.ok(whereOf(`#/${text}`).screen.length > 0)
    }),
    { numRuns: 300 },
  )
})

test('the limits that the form offers are those that the service looks at', () => {
  for (const key of permissionKeys) {
    const offered = new Set<string>(limitsOf(key))
    for (const [limit, value] of [
      ['self', true],
      ['k8sNamespace', 'shop'],
      ['policyNamespace', 'shop'],
    ] as const) {
      const idle = idleLimits({ ...wholePolicy(key), [limit]: value })
      assert.equal(offered.has(limit), idle.length === 0, `${key} ${limit}`)
    }
    assert.notEqual(groupWords(key), 'Others', key)
  }
  for (const keys of Object.values(needed))
    for (const key of keys) assert.ok((permissionKeys as readonly string[]).includes(key), key)
})

test('screens are offered by what the roles permit, whatever it is limited to', () => {
  const session = { permissions: [{ ...wholePolicy('schedule_strategy.read'), k8sNamespace: 'shop' }] }
  assert.equal(may(session, 'user.read', 'schedule_strategy.read'), true)
  assert.equal(may(session, 'user.read'), false)
  assert.deepEqual(
    (['overview', 'password', 'strategies', 'strategy-new', 'users'] as const).map((screen) =>
      mayOpen(session, screen),
    ),
    [true, true, true, false, false],
  )
})

test('a strategy goes into the form and out of it unchanged; empty rows are left out', () => {
  const strategy = {
    id: 'x',
    strategyNamespace: 'team',
    labelSelectors: [
      { key: 'app', value: 'web' },
      { key: 'x/y', value: '' },
    ],
    k8sNamespace: ['shop', 'demo'],
    commandRegex: 'a, b',
    priority: 0,
    executionTime: 1_000_000,
    version: 3,
    createdTime: '',
    updatedTime: '',
  }
  const read = readDraft(draftOf(strategy))
  assert.ok('body' in read)
  const { id: _, version: __, createdTime: ___, updatedTime: ____, ...given } = strategy
  assert.deepEqual(read.body, given)
  assert.deepEqual(criteriaWords(strategy), [
    'pods of shop, demo',
    'with app=web',
    'with the label x/y',
    'whose command matches a, b',
  ])
  const empty = readDraft(emptyDraft)
  assert.ok('body' in empty)
  assert.deepEqual([empty.body.labelSelectors, empty.body.priority, empty.body.executionTime], [[], 10, 20_000_000])
  const wrong = readDraft({ ...emptyDraft, priority: '1e1', executionTime: '', selectors: [{ key: '', value: 'v' }] })
  assert.deepEqual(Object.keys('problems' in wrong ? wrong.problems : {}), [
    'priority',
    'executionTime',
    'selectors.0.key',
  ])
})

test('what the service says of a field stands next to the row that it came from', () => {
  const selectors = [
    { key: '', value: '' },
    { key: 'a', value: '' },
    { key: 'b', value: '!' },
  ]
  const sent = readDraft({ ...emptyDraft, namespaces: 'x Y', selectors })
  assert.ok('body' in sent)
  const placed = placeProblems(
    [
      { field: 'labelSelectors[1].value', message: 'm1' },
      { field: 'k8sNamespace[1]', message: 'm2' },
      { field: 'priority', message: 'm3' },
      { field: 'labelSelectors', message: 'or k8sNamespace must name something' },
    ],
    sent,
  )
  assert.deepEqual(
    { ...placed, selectors: placed.selectors?.slice(0, 16) },
    { 'selectors.2.value': 'm1', namespaces: '"Y" m2', priority: 'm3', selectors: 'A label is neede' },
  )
  assert.deepEqual(
    placeRoleProblems([
      { field: 'rolePolicies[2].k8sNamespace', message: 'a' },
      { field: 'rolePolicy', message: 'b' },
      { field: 'name', message: 'c' },
    ]),
    { 'policies.2.k8sNamespace': 'a', policies: 'b', name: 'c' },
  )
})

test('a permission is ticked for all, and unticked with all its limits', () => {
  const one = toggled({ name: '', description: '', policies: [] }, 'user.read')
  assert.deepEqual(one.policies, [wholePolicy('user.read')])
  const two = { ...one, policies: [...one.policies, { ...wholePolicy('user.read'), self: true }] }
  assert.deepEqual(toggled(two, 'user.read').policies, [])
})

test('every refusal of the service has a title, and what it may mean for a change is said where nobody knows', () => {
  for (const [code, { status, message }] of Object.entries(managerErrors.table)) {
    const body = { success: false, error: message, code, requestId: 'r' }
    const { title } = tell(new ApiError(failureOf(status, body, null), false))
    assert.match(title, /^[A-Z“"].*[.)]$/, code)
  }
  const down = (unsafe: boolean) => tell(new ApiError(failureOf(503, { code: 'UNAVAILABLE' }, null), unsafe)).advice
  assert.match(down(true), /Nobody knows/)
  assert.doesNotMatch(down(false), /Nobody knows/)
})

test('numbers and times as people read them', () => {
  assert.deepEqual([1, 1_500, 20_000_000, 1_500_000_000].map(durationWords), ['1 ns', '1.5 µs', '20 ms', '1.5 s'])
  const now = Date.parse('2026-01-31T12:00:00Z')
  assert.deepEqual(
    ['2026-01-31T11:59:48Z', '2026-01-31T11:50:00Z', '2026-01-31T02:00:00Z', '2026-01-31T12:00:09Z', 'never'].map(
      (text) => agoWords(text, now),
    ),
    ['12 s ago', '10 min ago', '10 h ago', '0 s ago', 'never'],
  )
  assert.equal(fieldTime(''), undefined)
  assert.equal(fieldTime('rubbish'), undefined)
  assert.match(fieldTime('2026-01-31T12:00') ?? '', /^2026-01-3\dT\d\d:\d\d:00\.000Z$/)
  assert.equal(targetWords('users/0123456789abcdef01234567'), 'users/…234567')
  assert.equal(targetWords('intents (3)'), 'intents (3)')
})

test('made-up passwords and keys: long enough, and never the same', () => {
  const made = Array.from({ length: 50 }, () => madeUpPassword(random))
  assert.equal(new Set(made).size, 50)
  for (const password of made)
    assert.match(password, /^([a-hj-km-np-zA-HJ-NP-Z2-9]{5}-){3}[a-hj-km-np-zA-HJ-NP-Z2-9]{5}$/)
  assert.match(newKey(random), /^[0-9a-f]{32}$/)
})

test('intents by node, those of no node last', () => {
  const intent = (nodeId: string, state: number) => ({ nodeId, state }) as Parameters<typeof byNode>[0][number]
  const nodes = byNode([intent('', 1), intent('b', 2), intent('a', 1), intent('b', 1)])
  assert.deepEqual(
    nodes.map(({ node, intents, sent }) => [node, intents.length, sent]),
    [
      ['a', 1, 0],
      ['b', 2, 1],
      ['', 1, 0],
    ],
  )
})

test('health: what a probe’s answer says, also a gateway’s', () => {
  assert.deepEqual(checkedOf({ status: 200, body: {} }, 12.4), { health: 'good', says: '12 ms' })
  assert.deepEqual(checkedOf({ status: 503, body: { checks: { mongodb: 'failed', kubernetes: 'ok' } } }, 1), {
    health: 'bad',
    says: 'mongodb: failed',
  })
  assert.equal(checkedOf({ status: 403, body: undefined }, 1).health, 'closed')
  assert.equal(checkedOf(undefined, 1).health, 'silent')
  const one = { health: 'good', says: '' } as const
  assert.equal(
    Array.from({ length: 15 }).reduce<ReturnType<typeof remember>>((all) => remember(all, one), []).length,
    10,
  )
})

test('the processes of a node: pods by name, and those that nobody knows by UID behind them', () => {
  const of = (podUid: string, more: object = {}) => ({ podUid, processes: [], ...more })
  assert.deepEqual(
    byName([
      of('0-nobody-knows'),
      of('3', { podName: 'web-1', k8sNamespace: 'shop' }),
      of('2', { podName: 'bank-1', k8sNamespace: 'bank' }),
      of('1', { podId: 'as the scheduler says' }),
    ]).map(({ name, podUid }) => [name, podUid]),
    [
      ['bank/bank-1', '2'],
      ['shop/web-1', '3'],
      ['0-nobody-knows', '0-nobody-knows'],
      ['as the scheduler says', '1'],
    ],
  )
})

test('what became of a strategy, for one pod and for several', () => {
  assert.match(
    receiptWords({ intents: 1, pushed: 1, pending: 0 }),
    /^It is for 1 pod, and the scheduler of its node knows\.$/,
  )
  assert.match(
    receiptWords({ intents: 2, pushed: 2, pending: 0 }),
    /^It is for 2 pods, and the schedulers of all their nodes know\.$/,
  )
  assert.match(receiptWords({ intents: 2, pushed: 1, pending: 1 }), /of 1 the node’s scheduler knows, of 1 not yet/)
})
