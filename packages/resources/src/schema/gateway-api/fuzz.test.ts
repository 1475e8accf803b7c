import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests } from '../../parse.js'
import { gatewayPieces, type Piece } from '../../testing/index.js'
import { fuzzSchemas } from '../../testing/schemas.js'

/* Gateways, routes and grants, next to right ones that they may refer to. */

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

test('an object stands beside one of every other kind', () => {
  for (const kind of kinds) assert.equal(beside.get(kind)?.length, 7)
})

const schemas = fuzzSchemas({
  name: 'the schemas and references of Gateway API',
  pieces: gatewayPieces,
  beside: (kind) => beside.get(kind) ?? [],
})

test('gateways and routes of right and wrong pieces are each answered', (t) => schemas.fuzz(t))

test('what is right is read, so that the wrong pieces are what is refused', () => schemas.checkRight())

test('what once failed is answered', () => {
  schemas.checkKept([
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
  ])
})

test('the same object twice, by an alias', () => {
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
