import assert from 'node:assert/strict'
import { test } from 'node:test'
import { smallest } from '../testing/app.js'
import { listening, wrong } from '../testing/descriptions.js'

const characters = 'it must be of a-z, 0-9 and "-", with a letter or a digit at either end'
const twice = (what: string): string => `"${what}" is named twice`
const ports = 'it must be from 1 to 65535'

/** A description with one mistake, and the one field that is named, with why. */
const table: readonly (readonly [string, unknown, string])[] = [
  ['nothing', null, 'body: it must be an object'],
  ['a list', [], 'body: it must be an object'],
  ['text', 'name: x', 'body: it must be an object'],
  ['an unknown field', { ...smallest, hostNetwork: true }, 'hostNetwork: there is no such field'],
  [
    'a field of the prototype',
    JSON.parse('{"name":"a","namespace":"b","image":"localhost/bulkhead/probe:1","__proto__":{"a":1}}'),
    '__proto__: there is no such field',
  ],
  ['an unknown field that is no name', { ...smallest, 'a: b\n': 1 }, '["a: b\\n"]: there is no such field'],
  ['no name', { ...smallest, name: undefined }, 'name: it is missing'],
  ['a number for a name', { ...smallest, name: 7 }, 'name: it must be text'],
  [
    'an upper-case name',
    { ...smallest, name: 'Worker' },
    'name: it must be of a-z, 0-9 and "-", with a letter first and a letter or a digit last',
  ],
  [
    'a digit first',
    { ...smallest, name: '1worker' },
    'name: it must be of a-z, 0-9 and "-", with a letter first and a letter or a digit last',
  ],
  [
    'a newline at the end of a name',
    { ...smallest, name: 'worker\n' },
    'name: it must be of a-z, 0-9 and "-", with a letter first and a letter or a digit last',
  ],
  [
    'a dot in a name',
    { ...smallest, name: 'a.b' },
    'name: it must be of a-z, 0-9 and "-", with a letter first and a letter or a digit last',
  ],
  [
    'a name too long for what is named after it',
    { ...smallest, name: 'a'.repeat(55) },
    'name: it has at most 54 characters, so that what is named after it has a name too',
  ],
  ...['default', 'waypoint', 'a-waypoint', 'shop-gateway-istio'].map(
    (name) =>
      [
        name,
        { ...smallest, name },
        'name: "default" is every namespace’s own, and istiod gives names with -istio and -waypoint to what it makes of Gateways',
      ] as const,
  ),
  ...[
    'default-deny',
    'allow-nothing',
    'no-world',
    'a-requests',
    'a-egress',
    'a-to-b',
    'from-a',
    'a-b-allow-nothing',
  ].map(
    (name) =>
      [
        name,
        { ...smallest, name },
        'name: policies have such names (default-deny, allow-..., ...-to-..., ...-requests, ...-policy, ...-rbac), and what is made for this workload would take their place',
      ] as const,
  ),
  ['a namespace with a dot', { ...smallest, namespace: 'a.b' }, `namespace: ${characters}`],
  ['a namespace of 64', { ...smallest, namespace: 'a'.repeat(64) }, 'namespace: it has at most 63 characters'],
  ...['kube-system', 'istio-system', 'kyverno', 'argocd'].map(
    (namespace) =>
      [
        namespace,
        { ...smallest, namespace },
        'namespace: this namespace is the platform’s: nothing is opened there for a workload',
      ] as const,
  ),
  [
    'a new namespace that is there',
    { ...smallest, namespace: 'default', newNamespace: true },
    'namespace: every cluster has this one already, and walls of its own would be around all that is in it',
  ],
  ['words for a switch', { ...smallest, newNamespace: 'yes' }, 'newNamespace: it must be true or false'],
  ['no image', { ...smallest, image: '' }, 'image: it is empty'],
  [
    'a URL for an image',
    { ...smallest, image: 'https://localhost/bulkhead/probe:1' },
    'image: it is no image’s name, as in localhost/bulkhead/probe:0.1.0',
  ],
  [
    'an image with a newline',
    { ...smallest, image: 'localhost/bulkhead/probe:1\n' },
    'image: it is no image’s name, as in localhost/bulkhead/probe:0.1.0',
  ],
  [
    'no tag',
    { ...smallest, image: 'localhost/bulkhead/probe' },
    'image: it needs a tag that stays what it is (not latest), or a digest',
  ],
  [
    'latest',
    { ...smallest, image: 'localhost/bulkhead/probe:latest' },
    'image: it needs a tag that stays what it is (not latest), or a digest',
  ],
  [
    'half a digest',
    { ...smallest, image: 'localhost/bulkhead/probe@sha256:abc' },
    'image: it is no image’s name, as in localhost/bulkhead/probe:0.1.0',
  ],
  [
    'somebody else’s image',
    { ...smallest, image: 'docker.io/library/nginx:1' },
    'image: this image is not among those that may be run here; GET / lists them',
  ],
  [
    'a repository below one that is allowed',
    { ...smallest, image: 'localhost/bulkhead/probe/x:1' },
    'image: this image is not among those that may be run here; GET / lists them',
  ],
  [
    'another tag of a whole name',
    { ...smallest, image: 'docker.io/library/postgres:17' },
    'image: this image is not among those that may be run here; GET / lists them',
  ],
  ['port 0', { ...smallest, port: 0 }, `port: ${ports}`],
  ['port 65536', { ...smallest, port: 65_536 }, `port: ${ports}`],
  ['half a port', { ...smallest, port: 80.5 }, 'port: it must be a whole number'],
  ['a port as text', { ...smallest, port: '80' }, 'port: it must be a whole number'],
  ['a port of the mesh', { ...smallest, port: 15_008 }, 'port: the mesh has this port for itself in every pod'],
  [
    'callers without a port',
    { ...smallest, callers: ['shop/sleep'] },
    'port: it is missing, and somebody is to call it',
  ],
  ['a Service without a port', { ...smallest, servicePort: 80 }, 'servicePort: it needs a port, and there is none'],
  ['a waypoint without a port', { ...smallest, waypoint: 'waypoint' }, 'waypoint: it needs a port, and there is none'],
  ['another protocol', { ...listening, protocol: 'udp' }, 'protocol: it must be http or tcp'],
  [
    'methods of TCP',
    { ...listening, protocol: 'tcp', callers: [{ namespace: 'shop', name: 'sleep', methods: ['GET'] }] },
    'protocol: methods and paths are HTTP’s, and so is what a waypoint reads',
  ],
  [
    'paths of TCP for the kubelet',
    { ...listening, protocol: 'tcp', health: { live: '/', ready: '/' } },
    'health: paths are asked by HTTP, and the protocol is tcp',
  ],
  ['half of the health', { ...listening, health: { live: '/' } }, 'health.ready: it is missing'],
  ['101 replicas', { ...smallest, replicas: 101 }, 'replicas: it must be from 0 to 100'],
  ['51 arguments', { ...smallest, args: Array(51).fill('x') }, 'args: it has at most 50 arguments'],
  ['a NUL', { ...smallest, args: ['a\0b'] }, 'args[0]: no program can be given a NUL'],
  [
    'half a character',
    { ...smallest, env: [{ name: 'A', value: '\ud800' }] },
    'env[0].value: it holds half of a character (a lone surrogate)',
  ],
  ['an object for a list', { ...smallest, env: { A: 'b' } }, 'env: it must be a list'],
  [
    'a variable twice',
    {
      ...smallest,
      env: [
        { name: 'A', value: '1' },
        { name: 'A', value: '2' },
      ],
    },
    `env[1].name: ${twice('A')}`,
  ],
  [
    'a variable with =',
    { ...smallest, env: [{ name: 'A=B', value: '1' }] },
    'env[0].name: it must be of A-Z, a-z, 0-9, "_", "-" and ".", with no digit first',
  ],
  ['a number for a value', { ...smallest, env: [{ name: 'A', value: 1 }] }, 'env[0].value: it must be text'],
  [
    'neither value nor secret',
    { ...smallest, env: [{ name: 'A' }] },
    'env[0]: it must have either a value, or a secret that it comes from',
  ],
  [
    'a key of a secret with a slash',
    { ...smallest, env: [{ name: 'A', secret: { name: 's', key: '../k' } }] },
    'env[0].secret.key: it must be of A-Z, a-z, 0-9, "-", "_" and "."',
  ],
  [
    'no quantity',
    { ...smallest, resources: { limits: { memory: '256 MB' } } },
    'resources.limits.memory: it must be a quantity, as in 500m, 2 or 256Mi',
  ],
  [
    'more asked for than the limit',
    { ...smallest, resources: { requests: { memory: '1Gi' } } },
    'resources.requests.memory: it is more than the limit, 256Mi',
  ],
  [
    'a limit of nothing',
    { ...smallest, resources: { limits: { memory: '0' } } },
    'resources.limits.memory: it must not be 0',
  ],
  ...['1m', '500m', '0m'].map(
    (memory) =>
      [
        `thousandths of a byte: ${memory}`,
        { ...smallest, resources: { limits: { memory } } },
        'resources.limits.memory: its m is for thousandths of a byte; Mi or M is for megabytes, as in 256Mi',
      ] as const,
  ),
  [
    'less than a byte',
    { ...smallest, resources: { requests: { memory: '0.5' } } },
    'resources.requests.memory: it is less than a byte',
  ],
  [
    'a limit below what is asked for',
    { ...smallest, resources: { requests: { cpu: '1' }, limits: { cpu: '500m' } } },
    'resources.requests.cpu: it is more than the limit, 500m',
  ],
  [
    'an unknown resource',
    { ...smallest, resources: { limits: { gpu: '1' } } },
    'resources.limits.gpu: there is no such field',
  ],
  [
    '51 callers',
    { ...listening, callers: Array.from({ length: 51 }, (_, n) => `shop/c${n}`) },
    'callers: it has at most 50 callers',
  ],
  [
    'a caller without a namespace',
    { ...listening, callers: ['sleep'] },
    'callers[0]: it must be namespace/name, as in shop/sleep',
  ],
  ['a caller that is a number', { ...listening, callers: [7] }, 'callers[0]: it must be an object'],
  ['a short caller with a bad name', { ...listening, callers: ['shop/Sleep'] }, `callers[0]: its name: ${characters}`],
  [
    'a short caller of the platform',
    { ...listening, callers: ['kube-system/kube-dns'] },
    'callers[0]: its namespace: this namespace is the platform’s: nothing is opened there for a workload',
  ],
  [
    'a caller twice',
    { ...listening, callers: ['shop/sleep', { namespace: 'shop', name: 'sleep' }] },
    `callers[1]: ${twice('shop/sleep')}`,
  ],
  ['itself', { ...listening, callers: ['demo/worker-app'] }, 'callers[0]: this is the workload itself'],
  [
    'an unknown field of a caller',
    { ...listening, callers: [{ namespace: 'shop', name: 'sleep', port: 80 }] },
    'callers[0].port: there is no such field',
  ],
  [
    'every pod for a caller',
    { ...listening, callers: [{ namespace: 'shop', name: 'sleep', labels: {} }] },
    'callers[0].labels: without a label it would be every pod of the namespace',
  ],
  [
    'a bad key of a label',
    { ...listening, callers: [{ namespace: 'shop', name: 'sleep', labels: { 'a b': 'c' } }] },
    'callers[0].labels["a b"]: this is no key of a label',
  ],
  [
    'a key of a label that objects have already',
    {
      ...listening,
      callers: [{ namespace: 'shop', name: 'sleep', labels: JSON.parse('{"app":"sleep","__proto__":"v1"}') }],
    },
    'callers[0].labels.__proto__: this is no key of a label',
  ],
  [
    'the same of one that is called',
    {
      ...smallest,
      calls: [{ namespace: 'a', name: 'b', port: 1, labels: JSON.parse('{"app":"b","__proto__":"v1"}') }],
    },
    'calls[0].labels.__proto__: this is no key of a label',
  ],
  [
    'a bad value of a label',
    { ...listening, callers: [{ namespace: 'shop', name: 'sleep', labels: { app: 'a b' } }] },
    'callers[0].labels.app: a label’s value has at most 63 of A-Z, a-z, 0-9, "-", "_" and "."',
  ],
  [
    'a bad account',
    { ...listening, callers: [{ namespace: 'shop', name: 'sleep', serviceAccount: '*' }] },
    'callers[0].serviceAccount: it must be of a-z, 0-9, "-" and ".", with a letter or a digit at either end',
  ],
  [
    'no method',
    { ...listening, callers: [{ namespace: 'shop', name: 'sleep', methods: [] }] },
    'callers[0].methods: an empty list would allow none; leave it out to allow all',
  ],
  [
    'a pattern of methods',
    { ...listening, callers: [{ namespace: 'shop', name: 'sleep', methods: ['*'] }] },
    'callers[0].methods[0]: it must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
  ],
  [
    'a path without a slash',
    { ...listening, callers: [{ namespace: 'shop', name: 'sleep', paths: ['api'] }] },
    'callers[0].paths[0]: it must begin with "/", and may end with "*"; nothing else of it is a pattern',
  ],
  [
    'a template for a path',
    { ...listening, callers: [{ namespace: 'shop', name: 'sleep', paths: ['/{*}'] }] },
    'callers[0].paths[0]: it must begin with "/", and may end with "*"; nothing else of it is a pattern',
  ],
  [
    'every path',
    { ...listening, callers: [{ namespace: 'shop', name: 'sleep', paths: ['*'] }] },
    'callers[0].paths[0]: it must begin with "/", and may end with "*"; nothing else of it is a pattern',
  ],
  [
    'a callee without a port',
    { ...smallest, calls: ['demo/postgres'] },
    'calls[0]: it must be namespace/name:port, as in demo/postgres:5432',
  ],
  [
    'a callee’s port of the mesh',
    { ...smallest, calls: ['demo/postgres:15008'] },
    'calls[0]: its port: the mesh has this port for itself in every pod',
  ],
  ['a callee’s port too high', { ...smallest, calls: ['demo/postgres:70000'] }, `calls[0]: its port: ${ports}`],
  [
    'a callee and its port twice',
    { ...smallest, calls: ['demo/postgres:1', 'demo/postgres:2', 'demo/postgres:1'] },
    `calls[2]: ${twice('demo/postgres:1')}`,
  ],
  [
    'one callee in two ways',
    { ...smallest, calls: ['demo/postgres:1', { namespace: 'demo', name: 'postgres', port: 2, labels: { a: 'b' } }] },
    `calls[1]: ${twice('demo/postgres:2')}`,
  ],
  [
    'methods without a waypoint',
    { ...smallest, calls: [{ namespace: 'shop', name: 'web-api', port: 8080, methods: ['GET'] }] },
    'calls[0].waypoint: methods, paths and a Service are read by a waypoint: name the one that stands before it',
  ],
]

for (const [what, raw, expected] of table)
  test(`refused, with its field: ${what}`, () => assert.deepEqual(wrong(raw), [expected]))

const made = { ...smallest, newNamespace: true }
for (const [what, raw, expected] of [
  [
    'hosts of a namespace that is there',
    { ...smallest, hosts: ['api.github.com'] },
    'hosts: only with newNamespace: another namespace may deny the outside, and a deny beats every allow',
  ],
  ['a host twice', { ...made, hosts: ['a.example', 'a.example'] }, `hosts[1]: ${twice('a.example')}`],
  ...['*.example', '10.0.0.1', 'API.example', 'example', 'a.example.', 'https://a.example'].map(
    (host) =>
      [
        host,
        { ...made, hosts: [host] },
        'hosts[0]: it must be the name of a host, in lower case and with a dot, as in api.github.com',
      ] as const,
  ),
  [
    'a name of the cluster',
    { ...made, hosts: ['a.b.svc.cluster.local'] },
    'hosts[0]: this is a name of the cluster: what it may call there is for calls',
  ],
] as const)
  test(`refused, with its field: ${what}`, () => assert.deepEqual(wrong(raw), [expected]))

test('all that is wrong is told at once, up to a page of it, and long names of others’ are cut', () => {
  const many = wrong({ ...smallest, ...Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`x${n}`, 1])) })
  assert.equal(many.length, 20)
  assert.deepEqual(
    wrong({ ...smallest, name: 'A', port: 0, callers: [{}] }).map((line) => line.split(':')[0]),
    ['name', 'port', 'callers[0].namespace', 'callers[0].name'],
  )
  assert.deepEqual(
    wrong({ ...smallest, name: 'A', image: 'nginx:1.29' }).map((line) => line.split(':')[0]),
    ['name', 'image'],
    'an image that may not be run is told beside what else is wrong',
  )
  const [long = ''] = wrong({ ...smallest, ['x'.repeat(5_000)]: 1 })
  assert.ok(long.length < 200)
})
