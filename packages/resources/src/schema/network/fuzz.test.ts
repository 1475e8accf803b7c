import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests } from '../../parse.js'
import { checkReferences } from '../../references/references.js'
import { fuzz, type Random } from '../../testing/index.js'

/*
 * Network policies of right and wrong pieces in any order: each is answered, in bounded time, with mistakes that have a
 * place or with an object that holds what was written. (The YAML reader's own fuzz breaks the text.)
 */

const FIELDS = [
  ...['endpointSelector', 'nodeSelector', 'ingress', 'ingressDeny', 'egress', 'egressDeny', 'enableDefaultDeny'],
  ...['fromEndpoints', 'fromEntities', 'fromCIDR', 'fromCIDRSet', 'fromNodes', 'toEndpoints', 'toEntities', 'toCIDR'],
  ...['toCIDRSet', 'toFQDNs', 'toServices', 'toPorts', 'ports', 'port', 'endPort', 'protocol', 'rules', 'http', 'dns'],
  ...['kafka', 'l7', 'l7proto', 'serverNames', 'listener', 'icmps', 'fields', 'type', 'authentication', 'mode'],
  ...['matchLabels', 'matchExpressions', 'key', 'operator', 'values', 'matchName', 'matchPattern', 'cidr', 'except'],
  ...['path', 'method', 'host', 'headers', 'podSelector', 'namespaceSelector', 'policyTypes', 'ipBlock', 'from', 'to'],
  ...['__proto__', 'constructor', 'toString', 'fromRequires', 'spec', ''],
]
const VALUES: readonly unknown[] = [
  ...[
    null,
    true,
    0,
    -1,
    80,
    65536,
    1e21,
    8.5,
    '',
    '0',
    '80',
    '080',
    '99999',
    'http',
    'a--b',
    'TCP',
    'UDP',
    'ANY',
    'all',
  ],
  ...[
    'world',
    '10.0.0.0/8',
    '10.0.0.1',
    '::/0',
    '0.0.0.0/0',
    '::ffff:1.2.3.4/120',
    '10.0.0.0/8/9',
    'a.b',
    '*',
    '**.a.b',
  ],
  ...[
    '***',
    'c**',
    'a.',
    '(a+)+$',
    '(?=a)',
    '[',
    '/a/[0-9]+',
    'In',
    'Exists',
    'required',
    'Ingress',
    '\u0000',
    '\uD800',
  ],
  ...[
    'a'.repeat(300),
    '*'.repeat(300),
    '('.repeat(3_000),
    '(a{1000}){1000}',
    'x{1000}{1000}',
    'k8s:a',
    'reserved:host',
  ],
]

interface Policy {
  readonly kind: string
  readonly spec: unknown
}

const KINDS = ['NetworkPolicy', 'CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy']

/** One that is right, so that a wrong piece stands in a place that is looked at. */
const RIGHT = (kind: string): Record<string, unknown> =>
  kind === 'NetworkPolicy'
    ? {
        podSelector: { matchLabels: { app: 'a' } },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{ from: [{ podSelector: {}, namespaceSelector: {} }], ports: [{ port: 80, endPort: 81 }] }],
        egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }] }],
      }
    : {
        endpointSelector: { matchLabels: { app: 'a' }, matchExpressions: [{ key: 'b', operator: 'Exists' }] },
        enableDefaultDeny: { ingress: false },
        ingress: [
          {
            fromEndpoints: [{ matchLabels: { 'k8s:app': 'b' } }],
            authentication: { mode: 'required' },
            toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }], rules: { http: [{ method: 'GET', path: '/a' }] } }],
          },
          { icmps: [{ fields: [{ type: 8, family: 'IPv4' }] }] },
        ],
        ingressDeny: [{ fromCIDRSet: [{ cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] }] }],
        egress: [
          { toPorts: [{ ports: [{ port: '53' }], rules: { dns: [{ matchPattern: '*.a' }] } }] },
          {
            toFQDNs: [{ matchName: 'a.b' }],
            toPorts: [{ ports: [{ port: '443', protocol: 'TCP' }], serverNames: ['a.b'] }],
          },
        ],
        egressDeny: [{ toEntities: ['world'], toPorts: [{ ports: [{ port: 'http' }] }] }],
      }

function anything(random: Random, depth: number): unknown {
  if (depth === 0 || random.once(3)) return random.pick(VALUES)
  if (random.once(2)) return random.list(0, 3, () => anything(random, depth - 1))
  return Object.fromEntries(random.list(0, 4, () => [random.pick(FIELDS), anything(random, depth - 1)]))
}

/** A copy in which, here and there, a value is another one, gone, twice there, or has a field more. */
function broken(random: Random, value: unknown): unknown {
  if (random.once(25)) return anything(random, 3)
  if (Array.isArray(value)) {
    const items = value.flatMap((item: unknown) => (random.once(30) ? [] : [broken(random, item)]))
    return random.once(20) ? [...items, ...items] : items
  }
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).flatMap(([name, item]) =>
    random.once(30) ? [] : [[name, broken(random, item)]],
  )
  return Object.fromEntries(random.once(20) ? [...fields, [random.pick(FIELDS), anything(random, 2)]] : fields)
}

const make = (random: Random): Policy => {
  const kind = random.pick(KINDS)
  return { kind, spec: random.once(10) ? anything(random, 6) : broken(random, RIGHT(kind)) }
}

const textOf = ({ kind, spec }: Policy): string =>
  JSON.stringify({
    apiVersion: kind === 'NetworkPolicy' ? 'networking.k8s.io/v1' : 'cilium.io/v2',
    kind,
    metadata: kind.includes('Clusterwide') ? { name: 'p' } : { name: 'p', namespace: 'shop' },
    spec,
  })

/** CPU time, which a busy machine does not take. */
const LONGEST_MS = 2_000

function answers(policy: Policy): void {
  const text = textOf(policy)
  const before = process.cpuUsage()
  const { resources, diagnostics } = parseManifests(text, 'fuzz.yaml')
  const references = checkReferences(resources)
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < LONGEST_MS * 1000, `it took ${(user + system) / 1000} ms`)
  for (const { at, message } of [...diagnostics, ...references]) {
    assert.deepEqual([at.file, at.line >= 1, at.column >= 1], ['fuzz.yaml', true, true], message)
    assert.ok(!message.includes('\n') && !/undefined|\[object|call stack|internal error/.test(message), message)
  }
  // Refused with an error, or read: never neither.
  const refused = diagnostics.some(({ severity }) => severity === 'error')
  assert.equal(resources.length, refused ? 0 : 1, text)
  const [resource] = resources
  if (resource === undefined || text.includes('null')) return
  assert.deepEqual(JSON.parse(JSON.stringify(resource.object)), { spec: {}, ...JSON.parse(text) })
}

function* smaller({ kind, spec }: Policy): Generator<Policy> {
  for (const less of without(spec)) yield { kind, spec: less }
}

/** Every copy that lacks one field or entry, the outermost first. */
function* without(value: unknown): Generator<unknown> {
  if (typeof value !== 'object' || value === null) return
  const entries = Object.entries(value)
  const made = (rest: [string, unknown][]) =>
    Array.isArray(value) ? rest.map(([, item]) => item) : Object.fromEntries(rest)
  for (const index of entries.keys()) yield made(entries.toSpliced(index, 1))
  for (const [index, [name, item]] of entries.entries())
    for (const less of without(item)) yield made(entries.with(index, [name, less]))
}

test('network policies of right and wrong pieces are each answered', async (t) => {
  await fuzz<Policy>(t, {
    name: 'the schemas of network policies',
    make,
    run: answers,
    smaller,
    print: textOf,
    control: () => {
      for (const kind of KINDS) answers({ kind, spec: RIGHT(kind) })
    },
    deadlineMs: 5_000,
  })
})

test('what is right is read, so that the wrong pieces are what is refused', () => {
  for (const kind of KINDS) {
    const { resources, diagnostics } = parseManifests(textOf({ kind, spec: RIGHT(kind) }), 'right.yaml')
    assert.equal(resources.length, 1)
    assert.deepEqual(diagnostics, [])
  }
})
