import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClusterStatus, PodStatus, Refusal } from '@bulkhead/local-cluster'
import { styleOf } from '../style.js'
import { progressLine } from './progress.js'
import { curlLine, notReady, statusText } from './status-text.js'

const pod = (name: string, fields: Partial<PodStatus> = {}): PodStatus => ({
  pod: `shop/${name}`,
  node: 'bulkhead-worker',
  ip: '10.244.1.2',
  identity: `spiffe://cluster.local/ns/shop/sa/${name}`,
  mesh: true,
  ready: true,
  containers: [{ name: 'app', image: 'x', phase: 'running', restarts: 0 }],
  listening: [],
  rewritten: [],
  log: '',
  ...fields,
})
const status = (...pods: PodStatus[]): ClusterStatus => ({
  target: 'local',
  pid: 1,
  generation: 0,
  started: '',
  stateDir: '/s',
  nodes: [],
  layers: [
    { name: '40-mtls', on: true, objects: 1 },
    { name: '50-identity', on: false, objects: 4 },
  ],
  changes: [],
  notAdmitted: [],
  published: [],
  outside: [
    { host: 'api.github.com', by: 'real' },
    { host: 'api.cloudflare.com', by: 'stand-in', address: '198.51.100.20' },
  ],
  workloads: pods.map((one) => ({ workload: one.pod, kind: 'Deployment', ready: 1, of: 1, pods: [one] })),
  notModelled: [],
  shortened: ['1 s here (10 s on a cluster)'],
})

test('each pod has a line, and one that is not ready says why', () => {
  const crashing: Partial<PodStatus> = {
    ready: false,
    containers: [{ name: 'app', image: 'x', phase: 'back-off', restarts: 2, lastExit: 'exit code 1' }],
  }
  const found = status(pod('web-api'), pod('out', { mesh: false }), pod('bad', crashing), pod('new', { ready: false }))
  assert.deepEqual(notReady(found), ['shop/bad', 'shop/new'])
  assert.equal(
    statusText(found, styleOf({ colour: false })),
    [
      '  workload      node             address     ready                                   identity',
      '  shop/web-api  bulkhead-worker  10.244.1.2  yes                                     spiffe://cluster.local/ns/shop/sa/web-api',
      '  shop/out      bulkhead-worker  10.244.1.2  yes                                     spiffe://cluster.local/ns/shop/sa/out (not in the mesh: it shows none)',
      '  shop/bad      bulkhead-worker  10.244.1.2  no (back-off: exit code 1, 2 restarts)  spiffe://cluster.local/ns/shop/sa/bad',
      '  shop/new      bulkhead-worker  10.244.1.2  no (starting)                           spiffe://cluster.local/ns/shop/sa/new',
      '',
      '  layers   40-mtls on, 50-identity OFF',
      '  way out  api.github.com for real; api.cloudflare.com played by a stand-in on this machine; nothing else of the real world is dialled',
      '  shorter  1 s here (10 s on a cluster)',
    ].join('\n'),
  )
})

test('gateways, pods that are on their way out, ports and paths of this machine and a refused save are told', () => {
  const gateway = pod('gw-istio', { mesh: false, gateway: 'shop/gw', containers: [] })
  const port = { service: 'shop/gw-istio', port: 80, hosts: ['istioexplained.io', '*.example.org'] }
  const moved = [{ container: 'app', name: 'DATA', from: '/data', to: '/s/data' }]
  const found: ClusterStatus = {
    ...status(gateway, pod('old', { ready: false, leaving: true, rewritten: moved })),
    refused: 'k8s/a.yaml:3:1: a mistake',
    outside: [{ host: 'api.cloudflare.com', by: 'stand-in', address: '198.51.100.20' }],
    published: [
      {
        ...port,
        url: 'http://127.0.0.1:41234',
        wanted: 30080,
        login: { user: 'admin@example.com', file: '/s/secrets/shop/admin.json' },
      },
      { service: 'shop/tcp', port: 9000, url: 'http://127.0.0.1:30090', hosts: [] },
    ],
  }
  // One that is being replaced is not waited for.
  assert.deepEqual(notReady(found), [])
  assert.equal(
    statusText(found, styleOf({ colour: false })),
    [
      '  workload       node             address     ready   identity',
      '  shop/gw-istio  bulkhead-worker  10.244.1.2  yes     spiffe://cluster.local/ns/shop/sa/gw-istio (gateway shop/gw, played by the mesh)',
      '  shop/old       bulkhead-worker  10.244.1.2  ending  spiffe://cluster.local/ns/shop/sa/old',
      '',
      '  layers   40-mtls on, 50-identity OFF',
      '  outside  http://127.0.0.1:41234 leads to shop/gw-istio:80, for istioexplained.io, *.example.org (30080, which the manifests ask for, could not be had)',
      '  outside  http://127.0.0.1:30090 leads to shop/tcp:9000',
      '  log in   http://localhost:41234 in a browser, as admin@example.com; the password was shown once, and is kept in /s/secrets/shop/admin.json',
      '  way out  api.cloudflare.com played by a stand-in on this machine; nothing else of the real world is dialled',
      '  refused  the last save, so what is in force is not what the files say: k8s/a.yaml:3:1: a mistake',
      '  path     DATA=/data of shop/old is /s/data here',
      '  shorter  1 s here (10 s on a cluster)',
    ].join('\n'),
  )
})

test('what is not let in is told with its policy and its field, and a workload whose pods are refused has a line', () => {
  const refused: Refusal = {
    id: 'Deployment/shop/web',
    at: 'web.yaml:9',
    operation: 'CREATE',
    refused: 'pods',
    outcome: 'deny',
    message: 'pods "web-1" is forbidden',
    told: 'Error creating: pods "web-1" is forbidden',
    policy: 'Namespace/shop',
    policyAt: 'namespace.yaml:6',
    path: '/spec/hostPID',
    objectAt: 'web.yaml:21:7',
  }
  const found: ClusterStatus = {
    ...status(),
    workloads: [{ workload: 'shop/web', kind: 'Deployment', ready: 0, of: 2, pods: [], failedCreate: refused }],
    notAdmitted: [refused],
  }
  const lines = statusText(found, styleOf({ colour: false })).split('\n')
  assert.equal(lines[1], '  shop/web                 0 of 2 (FailedCreate)')
  const from = lines.findIndex((line) => line.includes('not let in'))
  assert.deepEqual(lines.slice(from, from + 4), [
    '  not let in  Error creating: pods "web-1" is forbidden',
    '           by    Namespace/shop (namespace.yaml:6)',
    '           for   /spec/hostPID of the pods of Deployment/shop/web (web.yaml:21:7)',
    '           It is there, and no new pod of it is started (FailedCreate). What to do: mend the field; npx bulkhead admit -f FILE says whether that is enough.',
  ])
})

test('many values of a pod that point into its folder have one line', () => {
  const at = (name: string, file: string) => ({ container: 'app', name, from: `/etc/${file}`, to: `/s/pods/x/${file}` })
  const one = pod('x', { rewritten: [at('KEY_FILE', 'key/key.pem'), at('PASSWORD_FILE', 'db/password')] })
  const lines = statusText(status(one), styleOf({ colour: false })).split('\n')
  assert.deepEqual(
    lines.filter((line) => line.startsWith('  path')),
    ['  path     KEY_FILE, PASSWORD_FILE of shop/x are under /s/pods/x here'],
  )
})

test('a port of a gateway is called with a host that its routes have', () => {
  const at = (...hosts: string[]) => curlLine({ service: 'a/b', port: 80, url: 'http://127.0.0.1:30080', hosts })
  assert.equal(at('istioexplained.io'), "curl -H 'Host: istioexplained.io' http://127.0.0.1:30080/")
  assert.equal(at('*.example.org'), "curl -H 'Host: www.example.org' http://127.0.0.1:30080/")
  assert.equal(at('*', 'example.org'), "curl -H 'Host: example.org' http://127.0.0.1:30080/")
  for (const any of [at(), at('*')]) assert.equal(any, 'curl http://127.0.0.1:30080/')
  const other = { service: 'a/b', port: 80, url: 'http://127.0.0.1:30080', hosts: ['*'], path: '/health' }
  assert.equal(curlLine(other), 'curl http://127.0.0.1:30080/health')
})

test('progress is told once, warnings with their place', () => {
  const at = { file: 'k8s/a.yaml', line: 3, column: 1 }
  const warning = { severity: 'warning', code: 'x', message: 'selects nothing', at } as const
  const nothing = { refused: [], news: [], mended: [], warnings: ['would violate'] }
  assert.equal(progressLine({ kind: 'admission', ...nothing }), undefined)
  const refusal = {
    id: 'Pod/x/a',
    at: 'a.yaml:1',
    operation: 'CREATE',
    refused: 'object',
    outcome: 'deny',
    message: 'no',
    told: 'no \u001b[2J',
  } as const
  assert.match(progressLine({ kind: 'admission', ...nothing, news: [refusal] }) ?? '', /^no \\u001b\[2J\n/)
  assert.equal(
    progressLine({ kind: 'manifests', objects: 2, pods: 1, warnings: [warning] }),
    'read 2 objects: 1 pods to start\n  warning: k8s/a.yaml:3: selects nothing',
  )
  const pods = (ready: number) => progressLine({ kind: 'pods', ready, of: 3, waitingFor: [] })
  assert.deepEqual([0, 1, 3].map(pods), ['starting 3 pods', undefined, undefined])
})
