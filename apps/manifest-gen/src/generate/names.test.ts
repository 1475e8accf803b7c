import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { InvalidDescription } from '../description/problems.js'
import { readDescription } from '../description/read.js'
import { smallest } from '../testing/app.js'
import { generate } from './generate.js'

/** Names made of the words that policies' names are made of. */
const words = [
  'a',
  'b',
  'to',
  'from',
  'by',
  'only',
  'waypoint',
  'requests',
  'egress',
  'allow',
  'nothing',
  'default',
  'deny',
]
const name = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('-'))
const described = fc.record({
  name,
  newNamespace: fc.boolean(),
  caller: name,
  limited: fc.boolean(),
  called: fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
  behind: fc.boolean(),
})

/** What a namespace has of its own, which every set of it says alike. */
const ofNamespace = [
  'Namespace/demo',
  'LimitRange/disk',
  'NetworkPolicy/default-deny',
  'PeerAuthentication/default',
  'AuthorizationPolicy/allow-nothing',
]

/** All at one place, so that nothing but the names keeps them apart. */
function idsOf({
  name,
  newNamespace,
  caller,
  limited,
  called,
  behind,
}: typeof described extends fc.Arbitrary<infer T> ? T : never): readonly string[] {
  const description = {
    ...smallest,
    name,
    newNamespace,
    port: 8080,
    callers: [{ namespace: 'demo', name: caller, ...(limited && { methods: ['GET'] }) }],
    calls: called.map((one) => ({ namespace: 'demo', name: one, port: 8080, ...(behind && { waypoint: 'w' }) })),
    ...(newNamespace && { hosts: ['api.github.com'] }),
  }
  try {
    const objects = generate(readDescription(description, () => true)).flatMap((file) => file.objects)
    return objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`)
  } catch (error) {
    if (error instanceof InvalidDescription) return []
    throw error
  }
}

test('no two objects have one name, in a set or in two', () => {
  let sets = 0
  fc.assert(
    fc.property(described, described, (one, other) => {
      const ids = idsOf(one)
      assert.equal(new Set(ids).size, ids.length, `twice: ${ids.filter((id, index) => ids.indexOf(id) !== index)}`)
      if (one.name === other.name) return
      const others = new Set(idsOf(other))
      const both = ids.filter((id) => others.has(id) && !ofNamespace.includes(id))
      assert.deepEqual(both, [])
      if (ids.length > 0 && others.size > 0) sets++
    }),
    { numRuns: 5_000 },
  )
  assert.ok(sets > 200, `most are refused: ${sets}`)
})
