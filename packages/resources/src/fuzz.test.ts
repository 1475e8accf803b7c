import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseManifests } from './parse.js'
import { checkReferences } from './references/references.js'

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
const PIECES = [
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

type Edit = { readonly at: number; readonly remove: number; readonly insert: string }
const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(40) }),
  insert: fc.oneof(fc.constant(''), fc.constantFrom(...PIECES), fc.string({ maxLength: 8 })),
})
const mutated = fc
  .tuple(fc.constantFrom(...SAMPLES), fc.array(edit, { minLength: 1, maxLength: 6 }))
  .map(([sample, edits]) =>
    edits.reduce((text, { at, remove, insert }) => {
      const start = Math.floor(at * text.length)
      return text.slice(0, start) + insert + text.slice(start + remove)
    }, sample),
  )

const LONGEST_MS = 2_000

function answers(text: string): void {
  const started = performance.now()
  const { resources, diagnostics } = parseManifests(text, 'fuzz.yaml')
  const references = checkReferences(resources)
  assert.ok(performance.now() - started < LONGEST_MS, 'it took too long')
  const lines = text.split(/\r\n?|\n/).length
  for (const { at, message } of [...diagnostics, ...references]) {
    assert.equal(at.file, 'fuzz.yaml')
    assert.ok(Number.isInteger(at.line) && at.line >= 1 && at.line <= lines, `line ${at.line} of ${lines}: ${message}`)
    assert.ok(Number.isInteger(at.column) && at.column >= 1, message)
    assert.ok(!message.includes('\n') && !message.includes('undefined'), message)
  }
  for (const { id, object, position } of resources) {
    assert.ok(id.startsWith(`${object.kind}/`))
    assert.ok(position(['spec', 'no', 0, 'such', 'field']).line >= 1)
  }
}

test('a thousand broken manifests are each answered', (t) => {
  // A new seed every time finds new things; the printed one repeats a run.
  const seed = Number(process.env.BULKHEAD_SEED ?? Math.floor(Math.random() * 2 ** 31))
  t.diagnostic(`seed ${seed}; again with BULKHEAD_SEED=${seed}`)
  fc.assert(fc.property(mutated, answers), { numRuns: 1_000, seed })
})

test('the samples themselves have nothing wrong, so that the edits are what breaks them', () => {
  for (const sample of SAMPLES) {
    const { resources, diagnostics } = parseManifests(sample, 'sample.yaml')
    assert.ok(resources.length > 0)
    assert.deepEqual(
      diagnostics.filter(({ severity }) => severity === 'error'),
      [],
    )
    answers(sample.replace(/^/, ''))
  }
})
