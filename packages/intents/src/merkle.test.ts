import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { EMPTY_ROOT, inOrder, leafHash, leafText, merkleRoot } from './merkle.js'
import { intentSchema } from './schemas.js'
import { anyIntent, intent } from './testing.js'
import type { Intent } from './types.js'

const T = intent({
  podName: 'pod',
  podID: 'pod-id',
  nodeID: 'node-id',
  commandRegex: 'nginx',
  priority: 1,
  executionTime: 42,
  podLabels: { b: '2', a: '1' },
})
const P1 = intent({ commandRegex: 'nginx', priority: 1, executionTime: 10, podLabels: { a: '1', b: '2' } })
const P2 = intent({
  podName: 'pod-b',
  podID: 'pod-id-b',
  k8sNamespace: 'kube-system',
  priority: 0,
  executionTime: 20,
})
const P3 = intent({
  podName: 'pod-c',
  podID: 'pod-id-c',
  priority: 10,
  executionTime: 20_000_000,
  podLabels: { app: 'web' },
})
const ROOT_12 = '96ddb88af886b9ab6adeaa851caea60e1afdf6898456128a80a3b32f41011d51'
const ROOT_123 = 'b1d2c4639b4fad86a5da96868d1485afabbc3f18194633d620e29a97882df406'

test('contract 1.10: the leaf’s text, letter by letter, whatever order the labels come in', () => {
  const text =
    'podName=pod|podID=pod-id|nodeID=node-id|k8sNamespace=default|commandRegex=nginx|priority=1|executionTime=42|podLabels=a=1,b=2'
  assert.equal(leafText(T), text)
  assert.equal(leafText({ ...T, podLabels: { a: '1', b: '2' } }), text)
})

for (const [name, one, hash] of [
  ['T', T, '0106d5a05424ea127c35556843d17456c73057183efa089b1431110c328ad276'],
  ['P1', P1, '1c8fb16bc2ff261a74f52295e27d6dc9a30cf59328a133bf7447b6139b9040cf'],
  ['P2', P2, 'b4721238e7431f35d945d2292a083c698dece1e1b1cd47cfb820d660303afa75'],
  ['P3', P3, 'f36e39434bab4980633c3f08bf577bf45707675d9524cb4bc227e5ca7c0ccf73'],
] as const) {
  test(`contract 1.10: vector ${name}; one leaf is the root`, () => {
    assert.equal(leafHash(one), hash)
    assert.equal(merkleRoot([one]), hash)
  })
}

test('contract 1.10: roots of two, of three, of none; an odd last node is paired with itself', () => {
  assert.equal(merkleRoot([P1, P2]), ROOT_12)
  assert.equal(merkleRoot([P1, P2, P3]), ROOT_123)
  assert.equal(merkleRoot([]), EMPTY_ROOT)
  assert.equal(createHash('sha256').update('').digest('hex'), EMPTY_ROOT)
})

test('contract 1.10: a last leaf that stands twice makes no difference: the root alone does not tell, count and version do', () => {
  assert.equal(merkleRoot([P1, P2, P3, P3]), ROOT_123)
  assert.notEqual(merkleRoot([P1, P1, P2, P3]), ROOT_123)
})

test('contract 1.10: the order is that of UTF-8, not of UTF-16, and numbers are text', () => {
  const bmp = intent({ commandRegex: '\uff5e' })
  const astral = intent({ commandRegex: '\u{1f600}' })
  assert.equal(astral.commandRegex < bmp.commandRegex, true, 'JavaScript has it the other way round')
  assert.deepEqual(inOrder([astral, bmp]), [bmp, astral])
  const [nine, ten] = [intent({ priority: 9 }), intent({ priority: 10 })]
  assert.deepEqual(inOrder([nine, ten]), [ten, nine])
  const labels = { '\uff5e': '', '\u{1f600}': '' }
  assert.match(leafText(intent({ podLabels: labels })), /podLabels=\uff5e=,\u{1f600}=$/u)
  assert.match(leafText(intent({ podLabels: { a: '', 'a-b': '', 'a.b': '' } })), /podLabels=a-b=,a\.b=,a=$/)
})

/** The same tree, written the other way: from the root down, over hex text. */
function naiveRoot(intents: readonly Intent[]): string {
  const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')
  const leaves = inOrder(intents).map((one) => sha(Buffer.from(leafText(one))))
  const node = (from: number, width: number): string => {
    if (width === 1) return leaves[from] ?? ''
    const left = node(from, width / 2)
    const right = from + width / 2 < leaves.length ? node(from + width / 2, width / 2) : left
    return sha(Buffer.from(left + right, 'hex'))
  }
  let width = 1
  while (width < leaves.length) width *= 2
  return leaves.length === 0 ? EMPTY_ROOT : node(0, width)
}

test('the root is that of the tree written another way, and of any order', () => {
  fc.assert(
    fc.property(fc.array(anyIntent, { maxLength: 20 }), fc.infiniteStream(fc.nat()), (intents, numbers) => {
      const root = merkleRoot(intents)
      assert.equal(root, naiveRoot(intents))
      const shuffled = intents.map((one) => ({ one, at: numbers.next().value ?? 0 }))
      shuffled.sort((a, b) => a.at - b.at)
      assert.equal(merkleRoot(shuffled.map(({ one }) => one)), root)
    }),
  )
})

test('of intents that the schema takes, two have one text only if they are one, whatever the expressions hold', () => {
  const tricky = fc.record({
    one: anyIntent,
    regex: fc.string({ unit: fc.constantFrom('|', 'priority=1', 'executionTime=1000000', 'podLabels=', 'a=b', ',') }),
  })
  fc.assert(
    fc.property(tricky, tricky, (a, b) => {
      const [first, second] = [a, b].map(({ one, regex }) => intentSchema.parse({ ...one, commandRegex: regex }))
      if (first === undefined || second === undefined) assert.fail()
      const same = { ...second, podLabels: first.podLabels, podName: first.podName, podID: first.podID }
      for (const other of [second, { ...same, nodeID: first.nodeID, k8sNamespace: first.k8sNamespace }]) {
        let equal = true
        try {
          assert.deepEqual(other, first)
        } catch {
          equal = false
        }
        assert.equal(leafText(first) === leafText(other), equal)
      }
    }),
  )
})
