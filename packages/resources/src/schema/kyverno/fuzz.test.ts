import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests } from '../../parse.js'
import { checkReferences } from '../../references/references.js'
import { admissionPieces, fuzz, makePiece, type Piece, without } from '../../testing/index.js'

/*
 * Policies of admission of right and wrong pieces in any order: each is answered, in bounded time, with mistakes that
 * have a place or with an object that holds what was written.
 */

const { kinds, right, manifest } = admissionPieces
const textOf = (policy: Piece): string => JSON.stringify(manifest(policy))

/** CPU time, which a busy machine does not take. */
const LONGEST_MS = 2_000

function answers(policy: Piece): void {
  const text = textOf(policy)
  const before = process.cpuUsage()
  const { resources, diagnostics } = parseManifests(text, 'fuzz.yaml')
  const references = checkReferences(resources)
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < LONGEST_MS * 1000, `it took ${(user + system) / 1000} ms`)
  for (const { at, message } of [...diagnostics, ...references]) {
    assert.deepEqual([at.file, at.line >= 1, at.column >= 1], ['fuzz.yaml', true, true], message)
    assert.ok(!message.includes('\n') && !/\bundefined\b|\[object|call stack|internal error/.test(message), message)
  }
  // Refused with an error, or read: never neither.
  const refused = diagnostics.some(({ severity }) => severity === 'error')
  assert.equal(resources.length, refused ? 0 : 1, text)
  const [resource] = resources
  if (resource === undefined || text.includes('null')) return
  assert.deepEqual(JSON.parse(JSON.stringify(resource.object)), JSON.parse(text))
}

test('policies of admission of right and wrong pieces are each answered', async (t) => {
  await fuzz<Piece>(t, {
    name: 'the schemas of policies of admission',
    make: (random) => makePiece(random, admissionPieces),
    run: answers,
    *smaller({ kind, spec }) {
      for (const less of without(spec)) yield { kind, spec: less }
    },
    print: textOf,
    control: () => {
      for (const kind of kinds) answers({ kind, spec: right(kind) })
    },
    deadlineMs: 5_000,
  })
})

test('what is right is read, so that the wrong pieces are what is refused', () => {
  for (const kind of kinds) {
    const { resources, diagnostics } = parseManifests(textOf({ kind, spec: right(kind) }), 'right.yaml')
    assert.equal(resources.length, 1)
    assert.deepEqual(
      diagnostics.filter(({ code }) => code !== 'kind.deprecated'),
      [],
    )
  }
})
