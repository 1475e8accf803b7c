import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests, type Resource } from '@bulkhead/resources'
import {
  fuzz,
  gatewayPieces,
  makePiece,
  networkPieces,
  type Piece,
  type Pieces,
  without,
} from '@bulkhead/resources/testing'
import { FlowError } from './flow/errors.js'
import { judge } from './flow/judge.js'
import { renderVerdict } from './index.js'
import { compile } from './model/compile.js'
import { CompileError } from './model/compile-error.js'
import { ambient, namespace, service, waypoint, workload } from './testing/objects.js'
import type { Flow } from './types.js'

/*
 * Network policies, Gateways and routes of right and wrong pieces, as far as the reader takes them: they compile or are
 * refused with their place, and every flow is judged in words, in bounded time.
 */

const ports = [{ name: 'http', containerPort: 80 }, { containerPort: 8080 }]
const scene: readonly Resource[] = [
  ambient('shop'),
  namespace('other', { team: 'a' }),
  workload('shop/web', { labels: { app: 'web' }, ports }),
  workload('shop/a', { labels: { app: 'a', b: 'x' }, ports }),
  workload('shop/b', { labels: { app: 'b', 'istio.io/dataplane-mode': 'none' }, ports }),
  workload('shop/agent', { labels: { app: 'a' }, hostNetwork: true }),
  workload('other/web', { labels: { app: 'web' }, ports }),
  service('shop/web', { port: 80, targetPort: 'http' }),
  service('other/web', { port: 80, targetPort: 'http' }),
  service('shop/orders', { selector: { app: 'a' }, targetPort: 8080, labels: { 'istio.io/use-waypoint': 'wp' } }),
  waypoint('shop/wp'),
]
const node = compile(scene).nodes[0]?.name ?? ''

const http = { method: 'GET', path: '/a/x?q=1', host: 'a.example', headers: { 'x-a': '7' } }
const flows: readonly Flow[] = [
  { from: { workload: 'shop/b' }, to: { workload: 'shop/a' }, port: 80, http: { ...http, path: '/a' } },
  { from: { workload: 'shop/a' }, to: { workload: 'shop/b' }, port: 80, http },
  { from: { workload: 'shop/a' }, to: { service: 'other/web' }, port: 80 },
  { from: { workload: 'shop/a' }, to: { host: 'a.b' }, port: 443 },
  { from: { workload: 'shop/a' }, to: { host: 'c.a', ip: '10.1.2.3' }, port: 443, tls: {} },
  { from: { workload: 'shop/a' }, to: { ip: '::1:2' }, port: 81, protocol: 'UDP' },
  {
    from: { workload: 'shop/a' },
    to: { service: 'kube-system/kube-dns' },
    port: 53,
    protocol: 'UDP',
    dns: { query: 'c.a' },
  },
  { from: { workload: 'shop/agent' }, to: { workload: 'shop/a' }, port: 0, protocol: 'ICMP' },
  { from: { node }, to: { workload: 'shop/a' }, port: 80 },
  { from: { external: '10.1.2.3' }, to: { node }, port: 22 },
  { from: { workload: 'shop/a' }, to: { service: 'default/kubernetes' }, port: 443 },
  ...['/a/x', '/old', '/v1/x', '/', '//', '/%2f'].map(
    (path): Flow => ({
      from: { external: '203.0.113.7' },
      to: { service: 'shop/front-istio' },
      port: 80,
      http: { ...http, path },
    }),
  ),
  ...['/a/x?q=1', '//a', '/%2e%2e/a', '/%00', 'a', 'http://a.example/a', '/\\a;b#c'].map(
    (path): Flow => ({
      from: { workload: 'shop/web' },
      to: { service: 'shop/orders' },
      port: 80,
      http: { ...http, path },
    }),
  ),
  { from: { workload: 'shop/web' }, to: { service: 'shop/orders' }, port: 80, tls: { sni: 'a.b' } },
  { from: { workload: 'shop/wp' }, to: { service: 'shop/orders' }, port: 80 },
  {
    from: { workload: 'shop/a' },
    to: { service: 'shop/front-istio' },
    port: 8080,
    http: { ...http, method: 'POST', host: 'x.b.example' },
  },
]

const both: readonly Pieces[] = [networkPieces, gatewayPieces]
const ofKind = (kind: string): Pieces => (networkPieces.kinds.includes(kind) ? networkPieces : gatewayPieces)

type Manifest = { readonly metadata: { readonly name: string } }
/** A second one of a kind has a name of its own. */
const textsOf = (pieces: readonly Piece[]): readonly string[] =>
  pieces.map((piece, index) => {
    const object = ofKind(piece.kind).manifest(piece) as Manifest
    const again = pieces.findIndex(({ kind }) => kind === piece.kind) < index
    const { metadata } = object
    return JSON.stringify(again ? { ...object, metadata: { ...metadata, name: `${metadata.name}-${index}` } } : object)
  })

/** CPU time, which a busy machine does not take. */
const LONGEST_MS = 2_000
const seen = new Map<string, number>()
function count(what: string): void {
  seen.set(what, (seen.get(what) ?? 0) + 1)
}

const known = new Map<string, readonly Resource[]>()

function judged(pieces: readonly Piece[]): void {
  const before = process.cpuUsage()
  const read = textsOf(pieces).flatMap((text) => known.get(text) ?? parseManifests(text, 'fuzz.yaml').resources)
  const network = { reader: pieces.length % 2 === 0 ? ('api' as const) : ('cilium' as const) }
  let snapshot: ReturnType<typeof compile>
  try {
    snapshot = compile([...scene, ...read], { network })
  } catch (error) {
    // A conflict across objects, of which each by itself is right.
    assert.ok(error instanceof CompileError, String(error instanceof Error ? error.stack : error))
    assert.match(error.message, /fuzz\.yaml:\d+/)
    count('refused')
    return
  }
  for (const flow of flows) {
    try {
      const verdict = judge(flow, snapshot)
      const text = renderVerdict(verdict)
      assert.ok(!/undefined|\[object|NaN/.test(text), text)
      count(verdict.outcome)
    } catch (error) {
      // Without the Gateway there is no such Service.
      assert.ok(error instanceof FlowError, String(error instanceof Error ? error.stack : error))
      assert.equal(error.code, 'flow.unknown-service')
    }
  }
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < LONGEST_MS * 1000, `it took ${(user + system) / 1000} ms`)
}

const right: readonly (readonly Piece[])[] = both.map(({ kinds, right: of }) =>
  [...new Set(kinds)].map((kind) => ({ kind, spec: of(kind) })),
)

/** What is right is read once. */
for (const text of right.flatMap(textsOf)) known.set(text, parseManifests(text, 'fuzz.yaml').resources)

test('what the reader takes is compiled or refused, and every flow is judged', async (t) => {
  await fuzz<readonly Piece[]>(t, {
    name: 'the engine',
    make: (random) => {
      const pieces = random.list(1, 3, () => makePiece(random, random.pick(both)))
      // Beside right ones, so that what is wrong alone is asked.
      return random.once(2) ? pieces : [...pieces, ...random.pick(right).filter(() => !random.once(3))]
    },
    run: judged,
    *smaller(pieces) {
      for (const index of pieces.keys()) yield pieces.toSpliced(index, 1)
      for (const [index, { kind, spec }] of pieces.entries())
        for (const less of without(spec)) yield pieces.with(index, { kind, spec: less })
    },
    print: (pieces) => textsOf(pieces).join('\n---\n'),
    control: () => right.forEach(judged),
    deadlineMs: 5_000,
  })
  t.diagnostic([...seen].map(([what, times]) => `${what} ${times}`).join(', '))
  // Pieces that are all refused would ask nothing.
  for (const outcome of ['allow', 'deny']) assert.ok((seen.get(outcome) ?? 0) > 500, outcome)
})
