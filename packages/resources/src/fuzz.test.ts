import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests } from './parse.js'
import { checkReferences } from './references/references.js'
import { fuzz, type Random } from './testing/index.js'

/*
 * Whatever the text: the reader answers, in bounded time, with objects or with mistakes that have a place in the file.
 */

const SAMPLES = [
  `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop, labels: &labels { app: web, version: v1 } }
spec:
  replicas: 1
  selector: { matchLabels: *labels }
  template:
    metadata: { labels: { app: web, version: v1 } }
    spec:
      serviceAccountName: web
      volumes: [{ name: v, secret: { secretName: s, defaultMode: 0400 } }]
      containers:
        - name: c
          image: i
          env: [{ name: A, valueFrom: { configMapKeyRef: { name: c, key: k } } }]
          envFrom: [{ secretRef: { name: s } }]
          ports: [{ name: http, containerPort: 8080 }]
          readinessProbe: { httpGet: { path: /, port: http } }
          volumeMounts: [{ name: v, mountPath: /v }]
`,
  `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: p, namespace: shop }
spec:
  selector: { matchLabels: { app: web } }
  action: DENY
  rules:
    - from: [{ source: { principals: ["cluster.local/ns/shop/sa/web"], ipBlocks: [10.0.0.0/8] } }]
      to: [{ operation: { ports: ["8080"], paths: ["/a/{*}"] } }]
      when: [{ key: "request.headers[x]", values: [a] }]
`,
  `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: p, namespace: shop }
spec: { selector: { matchLabels: { app: web } }, mtls: { mode: STRICT }, portLevelMtls: { 8080: { mode: PERMISSIVE } } }
---
apiVersion: v1
kind: List
items:
  - { apiVersion: v1, kind: Service, metadata: { name: web, namespace: shop }, spec: { selector: { app: web }, ports: [{ port: 80, targetPort: http }] } }
  - { apiVersion: v1, kind: ConfigMap, metadata: { name: c, namespace: shop }, data: { k: "on" } }
`,
]
/** Aliases of aliases: 9 to the power of 8 values in ten lines. */
const LAUGHS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
  .map((name, i, all) => `${name}: &${name} [${Array(9).fill(i === 0 ? 'x' : `*${all[i - 1]}`)}]\n`)
  .join('')
const PIECES = [
  LAUGHS,
  ...[
    'null',
    '~',
    '[]',
    '{}',
    '[null]',
    '""',
    '0',
    '-1',
    '1e999',
    '.nan',
    'on',
    '<<: *labels',
    '*labels',
    '&labels',
    '!!int x',
  ],
  ...[
    '---\n',
    '...\n',
    '\n',
    '  ',
    '\t',
    ': ',
    '- ',
    '? ',
    '"',
    "'",
    '|',
    '>',
    '#',
    '{',
    '}',
    '[',
    ']',
    ',',
    '%YAML 1.1\n',
    '\u0000',
    '\uFEFF',
    '\uD800',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'spec',
    'metadata',
    'rules',
    'items',
    'kind: List',
    'kind: Pod',
    'selector',
  ],
]

/** What can be nested, or follow itself, without end. */
const DEEP = ['[', '{a: ', '- ', '? ', 'a: ', '!!seq ', '&a ', '---\n', '  ', '"', '\\', '\u{1F600}']

interface Broken {
  readonly sample: string
  readonly edits: readonly { readonly at: number; readonly remove: number; readonly insert: string }[]
}

const textOf = ({ sample, edits }: Broken): string =>
  edits.reduce((text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove), sample)

function make(random: Random): Broken {
  // Not broken at all, but noise.
  if (random.once(20)) return { sample: random.bytes(random.below(400)).toString('latin1'), edits: [] }
  const sample = random.pick(SAMPLES)
  // Nothing else in the file.
  if (random.once(40)) return { sample: random.pick([LAUGHS, random.pick(DEEP).repeat(6_000)]), edits: [] }
  const edits = random.list(1, 6, () => ({
    at: random.below(sample.length),
    remove: random.below(5) < 3 ? 0 : random.below(40),
    insert: random.pick([
      () => '',
      () => random.pick(PIECES),
      () => random.pick(DEEP).repeat(random.pick([2, 50, 500, 4_000])),
      () => String.fromCharCode(...random.list(0, 8, () => random.below(random.once(4) ? 0x10000 : 128))),
      // A piece of a manifest where another one is expected.
      () => {
        const from = random.pick(SAMPLES)
        const start = random.below(from.length)
        return from.slice(start, start + random.below(120))
      },
    ])(),
  }))
  return { sample, edits }
}

function* smaller({ sample, edits }: Broken): Generator<Broken> {
  for (const at of edits.keys()) yield { sample, edits: edits.filter((_, other) => other !== at) }
  // From here on the text is what counts.
  const text = textOf({ sample, edits })
  for (let size = text.length >> 1; size >= 1; size >>= 1)
    for (let at = 0; at < text.length; at += size)
      yield { sample: text.slice(0, at) + text.slice(at + size), edits: [] }
}

function answers(text: string): void {
  const { resources, diagnostics } = parseManifests(text, 'fuzz.yaml')
  const references = checkReferences(resources)
  const lines = text.split(/\r\n?|\n/).length
  for (const { at, message } of [...diagnostics, ...references]) {
    assert.equal(at.file, 'fuzz.yaml')
    assert.ok(Number.isInteger(at.line) && at.line >= 1 && at.line <= lines, `line ${at.line} of ${lines}: ${message}`)
    assert.ok(Number.isInteger(at.column) && at.column >= 1, message)
    assert.ok(!message.includes('\n') && !/undefined|\[object|call stack/.test(message), message)
  }
  for (const { id, object, position } of resources) {
    assert.ok(id.startsWith(`${object.kind}/`))
    assert.ok(position(['spec', 'no', 0, 'such', 'field']).line >= 1)
  }
}

/** CPU time, which a busy machine does not take. */
const LONGEST_MS = 2_000

function timed(input: Broken): void {
  const before = process.cpuUsage()
  answers(textOf(input))
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < LONGEST_MS * 1000, `it took ${(user + system) / 1000} ms`)
}

test('broken manifests are each answered', async (t) => {
  await fuzz<Broken>(t, {
    name: 'the YAML reader',
    make,
    run: timed,
    smaller,
    print: (input) => JSON.stringify(textOf(input)),
    control: () => SAMPLES.forEach(answers),
    deadlineMs: 5_000,
  })
})

/** Texts that once took it down or took it too long. */
const KEPT: readonly string[] = []

test('what once failed is answered', () => {
  for (const text of KEPT) timed({ sample: text, edits: [] })
})

test('the samples themselves have nothing wrong, so that the edits are what breaks them', () => {
  for (const sample of SAMPLES) {
    const { resources, diagnostics } = parseManifests(sample, 'sample.yaml')
    assert.ok(resources.length > 0)
    assert.deepEqual(
      diagnostics.filter(({ severity }) => severity === 'error'),
      [],
    )
    answers(sample)
  }
})
