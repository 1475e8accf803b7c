import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { podView } from '../kubernetes/memory.js'
import { type Criteria, EXPAND_BUDGET_MS, expand, TooSlow } from './expand.js'

const none: Criteria = { labelSelectors: [], k8sNamespace: [], commandRegex: '' }
const web = podView({ name: 'web', namespace: 'shop', labels: { app: 'web', tier: 'front' }, command: 'nginx -g x' })
const api = podView({ name: 'api', namespace: 'shop', labels: { app: 'api', tier: '' }, nodeName: '' })
const job = podView({ name: 'job', namespace: 'batch', labels: { app: 'web' }, command: 'python', phase: 'Succeeded' })
const all = [web, api, job]

const names = (criteria: Partial<Criteria>): string[] => expand(all, { ...none, ...criteria }).map(({ name }) => name)

test('contract 1.8.1: selectors and namespaces', () => {
  assert.deepEqual(names({ labelSelectors: [{ key: 'app', value: 'web' }] }), ['web', 'job'])
  assert.deepEqual(
    names({ labelSelectors: [{ key: 'tier', value: '' }] }),
    ['web', 'api'],
    'an empty value: it has the label',
  )
  const both = [
    { key: 'app', value: 'web' },
    { key: 'tier', value: 'front' },
  ]
  assert.deepEqual(names({ labelSelectors: both }), ['web'], 'selectors are all to hold')
  assert.deepEqual(names({ k8sNamespace: ['batch', 'none'] }), ['job'])
  assert.deepEqual(names({ k8sNamespace: ['shop'], labelSelectors: [{ key: 'app', value: 'web' }] }), ['web'])
  assert.deepEqual(names({ labelSelectors: [{ key: 'App', value: 'web' }] }), [], 'case counts')
})

test('what every object has is no label', () => {
  for (const key of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    assert.deepEqual(names({ labelSelectors: [{ key, value: '' }] }), [], key)
  }
})

test('contract 1.8.2: a pod matches if one of its containers does', () => {
  assert.deepEqual(names({ commandRegex: 'ng.nx' }), ['web'])
  assert.deepEqual(names({ commandRegex: '.+' }), ['web', 'job'], 'the image’s own command is not seen')
  assert.deepEqual(names({ commandRegex: '.*' }), ['web', 'api', 'job'])
  const two = podView({
    name: 'two',
    containers: [
      { name: 'a', commandLine: 'x', ports: [] },
      { name: 'b', commandLine: 'y', ports: [] },
    ],
  })
  assert.equal(expand([two], { ...none, commandRegex: '^y$' }).length, 1)
  assert.equal(expand([two], { ...none, commandRegex: 'x y' }).length, 0, 'each container for itself')
})

test('contract 1.8.3: neither phase nor node is asked', () => {
  assert.deepEqual(names({ k8sNamespace: ['shop', 'batch'] }), ['web', 'api', 'job'])
})

test('an expression that is slow over many lines is given up', () => {
  // Neither letter tells where the end will be, so that no automaton of few states does.
  let seed = 7
  const letter = (): string => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return seed < 2 ** 30 ? 'a' : 'b'
  }
  const pods = Array.from({ length: 60 }, (_, n) =>
    podView({ name: `p${n}`, command: Array.from({ length: 4000 }, letter).join('') }),
  )
  const started = performance.now()
  assert.throws(() => expand(pods, { ...none, commandRegex: '(a[ab]{100}|b[ab]{120})[xq]$' }), TooSlow)
  assert.ok(performance.now() - started < 20 * EXPAND_BUDGET_MS)
})

test('whatever the pods and the criteria: the same as asking pod by pod, word by word', () => {
  const word = fc.constantFrom('a', 'b', 'c')
  const labels = fc.dictionary(word, fc.constantFrom('', 'x', 'y'))
  const pods = fc.array(fc.record({ namespace: word, labels, command: fc.constantFrom('', 'run a', 'run b', 'c') }))
  const criteria = fc.record({
    labelSelectors: fc.array(fc.record({ key: word, value: fc.constantFrom('', 'x', 'y') }), { maxLength: 3 }),
    k8sNamespace: fc.array(word, { maxLength: 2 }),
    commandRegex: fc.constantFrom('', 'a', '^run', 'b$', '^$'),
  })
  fc.assert(
    fc.property(pods, criteria, (parts, wanted) => {
      const views = parts.map((part, n) => podView({ name: `p${n}`, ...part }))
      const expected = views.filter((_, n) => {
        const { namespace, labels: has, command } = parts[n] as (typeof parts)[number]
        for (const { key, value } of wanted.labelSelectors) {
          const held = new Map(Object.entries(has)).get(key)
          if (held === undefined || (value !== '' && held !== value)) return false
        }
        if (wanted.k8sNamespace.length > 0 && !wanted.k8sNamespace.includes(namespace)) return false
        return wanted.commandRegex === '' || new RegExp(wanted.commandRegex).test(command)
      })
      assert.deepEqual(expand(views, wanted), expected)
    }),
  )
})
