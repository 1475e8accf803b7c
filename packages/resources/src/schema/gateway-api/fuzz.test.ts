import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests } from '../../parse.js'
import { checkReferences } from '../../references/references.js'
import { fuzz, gatewayPieces, makePiece, type Piece, without } from '../../testing/index.js'
import type { Diagnostic, Resource } from '../../types.js'

/*
 * Gateways, routes and grants of right and wrong pieces in any order, next to right ones that they may refer to: each is
 * answered, in bounded time, with mistakes that have a place or with an object that holds what was written.
 */

const { kinds, right, manifest } = gatewayPieces
const textOf = (piece: Piece): string => JSON.stringify(manifest(piece))

const service = (namespace: string): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace },
  spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
})
const namespaces = ['shop', 'other'].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))
/** What is there of the other kinds. */
const beside = new Map(
  kinds.map((kind) => {
    const others = [...new Set(kinds)]
      .filter((one) => one !== kind)
      .map((one) => textOf({ kind: one, spec: right(one) }))
    const texts = [...[...namespaces, service('shop'), service('other')].map((one) => JSON.stringify(one)), ...others]
    return [kind, parseManifests(texts.join('\n---\n'), 'beside.yaml').resources]
  }),
)
const referencesOf = (kind: string, resources: readonly Resource[]): readonly Diagnostic[] =>
  checkReferences([...(beside.get(kind) ?? []), ...resources]).filter(({ code }) => code !== 'selector.selects-nothing')

/** CPU time, which a busy machine does not take. */
const LONGEST_MS = 2_000

function answers(piece: Piece): void {
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
  assert.deepEqual(JSON.parse(JSON.stringify(resource.object)), JSON.parse(text))
}

test('gateways and routes of right and wrong pieces are each answered', async (t) => {
  await fuzz<Piece>(t, {
    name: 'the schemas and references of Gateway API',
    make: (random) => makePiece(random, gatewayPieces),
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
    assert.equal(beside.get(kind)?.length, 7)
    assert.deepEqual([...diagnostics, ...referencesOf(kind, resources)], [])
  }
})

/** Once took the reader down, or told of something undefined. */
const KEPT: readonly Piece[] = [
  { kind: 'Gateway', spec: { gatewayClassName: 'istio', listeners: [{ protocol: { toString: [] } }] } },
  { kind: 'HTTPRoute', spec: { parentRefs: [{ namespace: 'a' }, { namespace: 'a' }] } },
  {
    kind: 'HTTPRoute',
    spec: {
      rules: [
        {
          filters: [
            {
              type: 'RequestMirror',
              requestMirror: { backendRef: { name: 'a' }, fraction: { numerator: { valueOf: 1, toString: 1 } } },
            },
          ],
        },
      ],
    },
  },
]

test('what once failed is answered', () => {
  for (const piece of KEPT) answers(piece)
  // The same object twice, by an alias.
  const { diagnostics } = parseManifests(
    `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: r }
spec: { rules: [{ filters: [{ type: &t { toString: [] } }, { type: *t }] }] }
`,
    'alias.yaml',
  )
  assert.ok(diagnostics.length > 0)
})
