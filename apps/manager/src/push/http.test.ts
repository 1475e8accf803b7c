import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { EMPTY_ROOT, type Intent, merkleRoot } from '@bulkhead/intents'
import { cleanUp } from '@bulkhead/testing'
import { jwtVerify } from 'jose'
import { MemoryCluster, podView } from '../kubernetes/memory.js'
import type { PodView } from '../kubernetes/types.js'
import { createHttpPush } from './http.js'
import { OutdatedSet } from './types.js'

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const publicKey = createPublicKey(privateKey)

const IDENTITY = { namespace: 'gthulhu-node', serviceAccount: 'gthulhu-scheduler' } as const

interface Asked {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly authorization: string
  readonly body: unknown
}

/** A scheduler on the loopback, and the cluster in which it is the one of `node-1`. */
async function build(t: TestContext, answer: (response: ServerResponse, asked: Asked) => void = accept) {
  const asked: Asked[] = []
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const { method, url, headers } = request
    const one = {
      method,
      url,
      authorization: headers.authorization ?? '',
      body: method === 'PUT' ? await json(request) : undefined,
    }
    asked.push(one)
    answer(response, one)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const scheduler = podView({
    name: 'scheduler-1',
    ...IDENTITY,
    labels: { app: 'decisionmaker' },
    podIP: '127.0.0.1',
    containers: [
      { name: 'sched', commandLine: '', ports: [] },
      { name: 'scheduler-sidecar', commandLine: '', ports: [port, 9] },
    ],
  })
  const cluster = new MemoryCluster([scheduler])
  const push = createHttpPush({ cluster, key: privateKey, ...IDENTITY, timeoutMs: 300 })
  cleanUp(t, async () => {
    await push.close()
    server.closeAllConnections()
    server.close()
  })
  return { push, cluster, asked, scheduler, server }
}

/** As a scheduler that takes all it is sent. */
const accept = (response: ServerResponse, { body }: Asked): void => {
  const { version, intents } = body as { version: number; intents: Intent[] }
  const data = { version, rootHash: merkleRoot(intents), intents: intents.length }
  response.end(JSON.stringify({ success: true, data, timestamp: '2025-12-30T13:09:10Z' }))
}

const intent: Intent = {
  podID: 'pod-id-a',
  podName: 'pod-a',
  nodeID: 'node-1',
  k8sNamespace: 'shop',
  commandRegex: 'nginx',
  priority: 1,
  executionTime: 20_000_000,
  podLabels: { 'app.kubernetes.io/name': 'a' },
}
/** What node-1 is sent. */
const set = (version: number, intents: readonly Intent[] = []) => ({
  node: 'node-1',
  version,
  intents,
  rootHash: merkleRoot(intents),
})

test('contract 1.8.6, M15, scheduler D1: a PUT of the whole set with its version, in the scheduler’s own words', async (t) => {
  const { push, asked } = await build(t)
  assert.equal(await push.push(set(7, [intent])), 'sent')
  const [{ method, url, body, authorization }] = asked as [Asked]
  assert.deepEqual([method, url], ['PUT', '/api/v1/intents'])
  assert.deepEqual(body, {
    version: 7,
    intents: [
      {
        podName: 'pod-a',
        podID: 'pod-id-a',
        nodeID: 'node-1',
        k8sNamespace: 'shop',
        commandRegex: 'nginx',
        priority: 1,
        executionTime: 20_000_000,
        podLabels: { 'app.kubernetes.io/name': 'a' },
      },
    ],
  })
  const { payload, protectedHeader } = await jwtVerify(authorization.replace('Bearer ', ''), publicKey, {
    audience: 'scheduler:node-1',
    issuer: 'bss-api-server',
    subject: 'manager-client',
  })
  assert.equal(protectedHeader.alg, 'RS256')
  assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 300)
})

test('contract M17: only a running pod of the right namespace, ServiceAccount, label and node is sent anything', async (t) => {
  const { push, cluster, asked, scheduler } = await build(t)
  const wrong: Partial<PodView>[] = [
    { namespace: 'default' },
    { serviceAccount: 'default' },
    { labels: { app: 'web' } },
    { labels: {} },
    { nodeName: 'node-2' },
    { phase: 'Pending' },
    { phase: 'Failed' },
    { podIP: '' },
  ]
  for (const part of wrong) {
    cluster.setPod({ ...scheduler, ...part })
    assert.equal(await push.push(set(1)), 'no-scheduler', JSON.stringify(part))
    assert.equal(await push.processes('node-1'), 'no-scheduler')
  }
  assert.equal(asked.length, 0)
  cluster.setPod(scheduler)
  assert.equal(await push.push(set(1)), 'sent')
  assert.equal(asked.length, 1)
})

for (const [what, answer, said] of [
  ['refuses', (response: ServerResponse) => response.writeHead(401).end('{"success":false}'), /401/],
  [
    'redirects',
    (response: ServerResponse) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    /302/,
  ],
  ['fails', (response: ServerResponse) => response.writeHead(500).end('boom'), /500 "boom"/],
  ['hangs up', (response: ServerResponse) => response.destroy(), /socket|closed|ECONNRESET/],
  ['never answers', () => {}, /timeout/i],
  ['never ends its answer', (response: ServerResponse) => response.write('{'), /timeout|abort/i],
  ['answers without end', (response: ServerResponse) => response.end(Buffer.alloc(5 * 1024 * 1024, 32)), /size/i],
  ['answers no JSON', (response: ServerResponse) => response.end('<html>'), /JSON/],
] as const) {
  test(`contract M13, M18: a scheduler that ${what} is told of, in time`, async (t) => {
    const { push } = await build(t, answer)
    const started = performance.now()
    await assert.rejects(push.push(set(1, [intent])), (error: Error) => {
      assert.match(error.message, said)
      assert.match(error.message, /gthulhu-node\/scheduler-1/)
      return true
    })
    assert.ok(performance.now() - started < 2_000)
  })
}

test('a scheduler that is not there is told of', async (t) => {
  const { push, server } = await build(t)
  server.close()
  await once(server, 'close')
  await assert.rejects(push.push(set(1)), /ECONNREFUSED/)
})

test('contract scheduler 2.1: the processes of a node’s pods, in the manager’s spelling', async (t) => {
  const data = {
    pods: [
      {
        pod_uid: 'u1',
        pod_id: 'p1',
        processes: [
          { pid: 7, command: 'nginx', ppid: 1, container_id: 'c' },
          { pid: 8, command: 'x' },
        ],
      },
      { pod_uid: 'u2', processes: null },
    ],
    timestamp: '2025-12-30T13:09:10Z',
    node_name: 'node-1',
  }
  const { push, asked } = await build(t, (response) => response.end(JSON.stringify({ success: true, data })))
  const found = await push.processes('node-1')
  assert.deepEqual(JSON.parse(JSON.stringify(found)), {
    pods: [
      {
        podUid: 'u1',
        podId: 'p1',
        processes: [
          { pid: 7, command: 'nginx', ppid: 1, containerId: 'c' },
          { pid: 8, command: 'x' },
        ],
      },
      { podUid: 'u2', processes: [] },
    ],
    timestamp: '2025-12-30T13:09:10Z',
    nodeName: 'node-1',
  })
  assert.deepEqual([asked[0]?.method, asked[0]?.url], ['GET', '/api/v1/pods/pids'])
})

test('contract 1.10, 1.17.10: the root is asked for, and one that is none is told of', async (t) => {
  const answers: unknown[] = [{ rootHash: EMPTY_ROOT }, { rootHash: 'x' }, {}, undefined]
  const { push, asked, cluster, scheduler } = await build(t, (response) =>
    response.end(JSON.stringify({ success: true, data: answers.shift() })),
  )
  assert.deepEqual(await push.roots('node-1'), [EMPTY_ROOT])
  assert.deepEqual([asked[0]?.method, asked[0]?.url], ['GET', '/api/v1/intents/merkle'])
  while (answers.length > 0) await assert.rejects(push.roots('node-1'), /not of its contract/)
  cluster.setPod({ ...scheduler, phase: 'Pending' })
  assert.deepEqual(await push.roots('node-1'), [])
})

test('a set that the scheduler has not got after all is not taken for sent', async (t) => {
  const { push } = await build(t, (response) =>
    response.end(JSON.stringify({ success: true, data: { version: 1, rootHash: EMPTY_ROOT, intents: 0 } })),
  )
  await assert.rejects(push.push(set(1, [intent])), /was sent a set of 1 intents with the root .* says that it has 0/)
})

test('scheduler D1: a set that a scheduler does not take because it has a later one is told apart', async (t) => {
  const { push } = await build(t, (response) => response.writeHead(409).end('{"success":false}'))
  await assert.rejects(push.push(set(7, [intent])), OutdatedSet)
})

test('what is no answer of a scheduler is not passed on', async (t) => {
  const { push } = await build(t, (response) => response.end('{"success":true,"data":{"pods":[{"pod_uid":7}]}}'))
  await assert.rejects(push.processes('node-1'), /not of its contract/)
})

test('a scheduler that answers as that of another node is not passed on', async (t) => {
  const data = { pods: [], timestamp: '2025-12-30T13:09:10Z', node_name: 'node-1' }
  const { push } = await build(t, (response) => response.end(JSON.stringify({ success: true, data })))
  await push.processes('node-1')
  data.node_name = 'node-2'
  await assert.rejects(push.processes('node-1'), /answers as that of "node-2"/)
})
