import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { Container, Probe } from '@bulkhead/resources'
import { cleanUp, eventually } from '@bulkhead/testing'
import { localImages } from './images.js'
import { type ProbeTarget, probeOnce } from './probe-once.js'
import { Prober } from './prober.js'

const image = localImages.get('localhost/bulkhead/probe')
assert.ok(image !== undefined)

function listen(server: Server): Promise<string> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve(String((server.address() as { port: number }).port))),
  )
}

/** A container whose port 8080 is `answer`; not listening until `open`. */
async function app(t: TestContext, answer: (request: IncomingMessage) => number) {
  const seen: IncomingMessage[] = []
  const server = createServer((request, response) => {
    seen.push(request)
    const status = answer(request)
    if (status !== 0) response.writeHead(status).end()
  })
  const port = Number(await listen(server))
  cleanUp(t, () => {
    server.close()
    server.closeAllConnections()
  })
  let open = true
  const container = (probes: Partial<Container>): Container => ({
    name: 'app',
    image: 'x',
    ports: [{ name: 'http', containerPort: 8080 }],
    ...probes,
  })
  const target = (probes: Partial<Container> = {}): ProbeTarget => ({
    container: container(probes),
    image: image as NonNullable<typeof image>,
    host: '10.244.1.2',
    dial: (asked) => {
      assert.equal(asked, 8080)
      return new Promise((resolve, reject) => {
        const socket = connect(open ? port : 1, '127.0.0.1', () => resolve(socket))
        socket.on('error', reject)
      })
    },
    exec: ([program, ...args]) => spawn(program, args, { env: { WORD: 'hello' }, cwd: '/' }),
  })
  return {
    seen,
    target,
    set open(value: boolean) {
      open = value
    },
  }
}

test('httpGet: 200 to 399 is well, and it is asked as the kubelet asks', async (t) => {
  let status = 204
  const { seen, target } = await app(t, () => status)
  const probe: Probe = {
    httpGet: { path: '/readyz?x=1', port: 'http', httpHeaders: [{ name: 'X-Probe', value: 'yes' }] },
  }
  assert.equal(await probeOnce(probe, target()), undefined)
  assert.deepEqual(
    [seen[0]?.url, seen[0]?.headers.host, seen[0]?.headers['x-probe'], seen[0]?.headers.connection],
    ['/readyz?x=1', '10.244.1.2:8080', 'yes', 'close'],
  )
  assert.match(seen[0]?.headers['user-agent'] ?? '', /^kube-probe\//)
  status = 302
  assert.equal(await probeOnce(probe, target()), undefined)
  status = 503
  assert.equal(await probeOnce(probe, target()), 'HTTP 503')
})

test('no answer in time, nobody listening, and a port that is not there are failures that say so', async (t) => {
  const box = await app(t, () => 0)
  assert.equal(
    await probeOnce({ httpGet: { port: 8080 }, timeoutSeconds: 0.1 }, box.target()),
    'no answer within 0.1 s',
  )
  assert.match((await probeOnce({ httpGet: { port: 'nope' } }, box.target())) ?? '', /no port named "nope"/)
  assert.equal(await probeOnce({ tcpSocket: { port: 8080 } }, box.target()), undefined)
  box.open = false
  assert.match((await probeOnce({ tcpSocket: { port: 8080 } }, box.target())) ?? '', /ECONNREFUSED/)
})

test('exec: the exit code decides, in the container’s environment', async (t) => {
  const { target } = await app(t, () => 200)
  const exec = (script: string): Probe => ({ exec: { command: ['node', '-e', script] }, timeoutSeconds: 5 })
  assert.equal(await probeOnce(exec('process.exit(process.env.WORD === "hello" ? 0 : 1)'), target()), undefined)
  assert.match((await probeOnce(exec('console.error("no luck"); process.exit(4)'), target())) ?? '', /exit 4: no luck/)
})

function prober(t: TestContext, target: ProbeTarget, listens: () => boolean) {
  const events: string[] = []
  const made = new Prober({
    ...target,
    listens,
    started: () => events.push('started'),
    ready: (ready, reason) => events.push(ready ? 'ready' : `not ready: ${reason}`),
    failed: (reason) => events.push(reason),
  })
  cleanUp(t, () => made.stop())
  made.start()
  return events
}

test('a container is ready as soon as it answers, not a period later, and not before it is started', async (t) => {
  const box = await app(t, () => 200)
  const slow = { httpGet: { port: 8080 }, periodSeconds: 60 }
  let listening = false
  const events = prober(
    t,
    box.target({ startupProbe: slow, readinessProbe: slow, livenessProbe: slow }),
    () => listening,
  )
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.deepEqual([events, box.seen.length], [[], 0], 'nobody knocks where nobody listens')
  listening = true
  await eventually('ready', () => events.includes('ready'))
  assert.deepEqual(events, ['started', 'ready'])
})

test('liveness fails after its threshold, readiness goes and comes back', async (t) => {
  let live = 200
  let ready = 200
  const box = await app(t, (request) => (request.url === '/livez' ? live : ready))
  const every = { periodSeconds: 0.02, failureThreshold: 2 }
  const events = prober(
    t,
    box.target({
      livenessProbe: { httpGet: { port: 8080, path: '/livez' }, ...every },
      readinessProbe: { httpGet: { port: 8080, path: '/readyz' }, ...every },
    }),
    () => true,
  )
  await eventually('ready', () => events.includes('ready'))
  ready = 503
  await eventually('not ready', () => events.includes('not ready: HTTP 503'))
  ready = 200
  await eventually('ready again', () => events.at(-1) === 'ready')
  live = 500
  await eventually('given up', () => events.includes('liveness probe failed: HTTP 500'))
})

test('a startup probe that never succeeds gives up after its thresholds, and liveness is not asked before', async (t) => {
  const box = await app(t, () => 500)
  const every = { periodSeconds: 0.02, failureThreshold: 3 }
  const events = prober(
    t,
    box.target({
      startupProbe: { httpGet: { port: 8080, path: '/start' }, ...every },
      livenessProbe: { httpGet: { port: 8080, path: '/live' } },
    }),
    () => true,
  )
  await eventually('given up', () => events.includes('startup probe failed: HTTP 500'))
  assert.ok(box.seen.every(({ url }) => url === '/start'))
  assert.equal(events.length, 1)
})
