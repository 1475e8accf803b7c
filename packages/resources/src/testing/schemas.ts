import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { parseManifests } from '../parse.js'
import { checkReferences } from '../references/references.js'
import type { Diagnostic, Resource } from '../types.js'
import { fuzz } from './fuzz.js'
import { makePiece, type Piece, type Pieces, without } from './pieces.js'

/*
 * Schemas under objects of right and wrong pieces in any order: each is answered, in bounded time, with mistakes that
 * have a place or with an object that holds what was written. (The YAML reader's own fuzz breaks the text.)
 */

/** CPU time, which a busy machine does not take. */
const LONGEST_MS = 2_000

export interface FuzzedSchemas {
  /** What is fuzzed, as a sentence names it. */
  readonly name: string
  readonly pieces: Pieces
  /** What is there beside the object, in files of other names. */
  readonly beside?: (kind: string) => readonly Resource[]
  /** What the object is read as where it is not what was written: fields that the API server fills in. */
  readonly filled?: object
}

export interface SchemasUnderFuzz {
  /** Pieces by chance. */
  fuzz(t: TestContext): Promise<void>
  /** That what is right is read, so that the wrong pieces are what is refused. */
  checkRight(): void
  /** Pieces that once took the reader down, or made it tell of something undefined. */
  checkKept(kept: readonly Piece[]): void
}

export function fuzzSchemas({ name, pieces, beside = () => [], filled = {} }: FuzzedSchemas): SchemasUnderFuzz {
  const { kinds, right, manifest } = pieces
  const textOf = (piece: Piece): string => JSON.stringify(manifest(piece))
  const referencesOf = (kind: string, resources: readonly Resource[]): readonly Diagnostic[] =>
    checkReferences([...beside(kind), ...resources])

  const answers = (piece: Piece): void => {
    const text = textOf(piece)
    const before = process.cpuUsage()
    const { resources, diagnostics } = parseManifests(text, 'fuzz.yaml')
    const references = referencesOf(piece.kind, resources)
    const { user, system } = process.cpuUsage(before)
    assert.ok(user + system < LONGEST_MS * 1000, `it took ${(user + system) / 1000} ms`)
    for (const { at, message } of [...diagnostics, ...references]) {
      assert.ok(/^(fuzz|beside)\.yaml$/.test(at.file) && at.line >= 1 && at.column >= 1, message)
      assert.ok(!message.includes('\n') && !/undefined|\[object|call stack|internal error/.test(message), message)
    }
    // Refused with an error, or read: never neither.
    const refused = diagnostics.some(({ severity }) => severity === 'error')
    assert.equal(resources.length, refused ? 0 : 1, text)
    const [resource] = resources
    if (resource === undefined || text.includes('null')) return
    assert.deepEqual(JSON.parse(JSON.stringify(resource.object)), { ...filled, ...JSON.parse(text) })
  }

  return {
    fuzz: async (t) => {
      await fuzz<Piece>(t, {
        name,
        make: (random) => makePiece(random, pieces),
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
    },
    checkRight: () => {
      for (const kind of kinds) {
        const { resources, diagnostics } = parseManifests(textOf({ kind, spec: right(kind) }), 'right.yaml')
        assert.equal(resources.length, 1)
        // An old kind is told as such, right as it may be, and what it names is not there.
        const harmless = ['kind.deprecated', 'selector.selects-nothing', 'reference.policy', 'policy.unbound']
        const found = [...diagnostics, ...referencesOf(kind, resources)].filter(({ code }) => !harmless.includes(code))
        assert.deepEqual(found, [], kind)
      }
    },
    checkKept: (kept) => {
      for (const piece of kept) answers(piece)
    },
  }
}
