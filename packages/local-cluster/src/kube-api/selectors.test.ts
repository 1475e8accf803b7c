import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldSelector, labelSelector } from './selectors.js'
import { ApiStatus } from './status.js'
import type { ApiObject } from './types.js'

const pod = (labels: Record<string, string>): ApiObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'shop', uid: 'u', creationTimestamp: '', labels },
  spec: { nodeName: 'n1' },
  status: { phase: 'Running', podIP: '10.244.1.2' },
})
const isBad = (words: RegExp) => (error: unknown) =>
  error instanceof ApiStatus && error.code === 400 && words.test(error.message)

test('label selectors, in every form', () => {
  const one = pod({ app: 'web', 'x.io/tier': '2', empty: '' })
  const table: readonly [string, boolean][] = [
    ['', true],
    ['app', true],
    ['!app', false],
    ['lacks', false],
    ['!lacks', true],
    ['app=web', true],
    ['app==web', true],
    [' app = web ', true],
    ['app=db', false],
    ['app!=db', true],
    ['app!=web', false],
    ['lacks!=x', true],
    ['app in (db, web)', true],
    ['app in (db)', false],
    ['app notin (db)', true],
    ['app notin (db,web)', false],
    ['lacks notin (x)', true],
    ['empty=', true],
    ['app=web,x.io/tier=2', true],
    ['app in (a,web),!app', false],
    ['x.io/tier>1', true],
    ['x.io/tier>2', false],
    ['x.io/tier<3', true],
    ['app>1', false],
    ['constructor', false],
  ]
  for (const [selector, matches] of table) assert.equal(labelSelector(selector)(one), matches, selector)
})

test('a label selector that is none is refused, and says why', () => {
  for (const [selector, words] of [
    ['app in web', /expected/],
    ['app in (web', /expected/],
    ['a b', /expected/],
    ['=x', /expected/],
    ['app=web,', /expected/],
    ['app=w*b', /not a label's value/],
    ['UP.io//x=1', /not a label's name/],
    ['app>x', /not a whole number/],
    ['a'.repeat(9000), /too long/],
    [`${'('.repeat(4000)}a`, /expected/],
  ] as const)
    assert.throws(() => labelSelector(selector), isBad(words), selector.slice(0, 20))
})

test('field selectors are of the fields that Kubernetes has for them', () => {
  const one = pod({})
  const table: readonly [string, boolean][] = [
    ['', true],
    ['metadata.name=p', true],
    ['metadata.namespace==shop,status.phase!=Failed', true],
    ['spec.nodeName=n2', false],
    ['status.podIP=10.244.1.2', true],
    ['spec.restartPolicy=', true],
  ]
  for (const [selector, matches] of table) assert.equal(fieldSelector(selector, 'Pod')(one), matches, selector)
  assert.throws(() => fieldSelector('spec.containers=x', 'Pod'), isBad(/^field label not supported: spec.containers$/))
  assert.throws(() => fieldSelector('spec.nodeName=x', 'Node'), isBad(/field label not supported/))
  assert.throws(() => fieldSelector('metadata.name', 'Pod'), isBad(/invalid selector/))
})
