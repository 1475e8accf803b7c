import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Child, ENOUGH, load, send, underLoad } from '@bulkhead/service-kit/testing'

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url))

function start(t: TestContext, env: Record<string, string> = {}): Child {
  return new Child(t, MAIN, { LISTEN_ADDR: '127.0.0.1:0', LOG_FORMAT: 'json', HTTP_CLIENT_KEEP_ALIVES: 'true', ...env })
}

test('SIGTERM under load: no accepted request is lost, through the whole chain', async (t) => {
  const leaf = start(t, { NAME: 'purchase-history-v1', TIMING_50_PERCENTILE: '3ms' })
  const front = start(t, {
    NAME: 'web-api',
    UPSTREAM_URIS: `http://127.0.0.1:${await leaf.port()}`,
    SHUTDOWN_DELAY: '400ms',
  })
  const port = await front.port()
  let unready = false
  const asked = underLoad(() => front.process.kill('SIGTERM'))
  const watching = (async () => {
    for (const agent = new Agent(); !unready; await new Promise((resolve) => setTimeout(resolve, 10))) {
      unready = (await send(agent, port, '/readyz')).status === 503
    }
  })()
  const sent = await load(port, 8, '/', (last) => {
    asked()
    return !(unready && last.close)
  })
  await watching
  assert.equal(await front.exited, 0)
  assert.ok(sent.length >= ENOUGH, `${sent.length} requests`)
  assert.deepEqual(
    sent.filter(({ result }) => result !== 'answered'),
    [],
  )
  assert.deepEqual(
    front.lines.filter(({ msg, status, path }) => msg === 'request' && path === '/' && status !== 200),
    [],
  )
})

test('an upstream that leaves in order: what it took in, its caller got', async (t) => {
  const leaf = start(t, { NAME: 'purchase-history-v1', TIMING_50_PERCENTILE: '3ms', SHUTDOWN_DELAY: '300ms' })
  const front = start(t, { NAME: 'web-api', UPSTREAM_URIS: `http://127.0.0.1:${await leaf.port()}` })
  const port = await front.port()
  const asked = underLoad(() => leaf.process.kill('SIGTERM'))
  let gone = false
  const leaving = leaf.exited.then((code) => {
    gone = true
    return code
  })
  const sent = await load(port, 4, '/', () => {
    asked()
    return !gone
  })
  assert.equal(await leaving, 0)
  const statuses = new Map(sent.map(({ id, status }) => [id, status]))
  const taken = leaf.lines
    .filter(({ msg, path }) => msg === 'request' && path === '/')
    .map(({ requestId }) => String(requestId))
  assert.ok(taken.length > ENOUGH / 2, `${taken.length} requests`)
  assert.deepEqual(
    taken.filter((id) => statuses.get(id) !== 200),
    [],
  )
  assert.ok(
    sent.some(({ status }) => status === 500),
    'the load outlived the upstream',
  )
})

test('a configuration that cannot be is said in full, and ends with 78', async (t) => {
  const child = start(t, { SERVER_TYPE: 'grpc', ERROR_RATE: '2' })
  assert.equal(await child.exited, 78)
  assert.equal(
    child.stderr,
    'invalid env var SERVER_TYPE="grpc" (this service speaks HTTP only; set SERVER_TYPE=http, or run the original image for gRPC)\n' +
      'invalid env var ERROR_RATE="2" (it must be from 0 to 1)\n',
  )
})

test('at start: the configuration once, and the variables that change nothing', async (t) => {
  const child = start(t, { LOAD_CPU_PERCENTAGE: '50' })
  await child.port()
  const starting = child.lines.filter(({ msg }) => msg === 'starting')
  assert.equal(starting.length, 1)
  assert.equal((starting[0]?.config as Record<string, string> | undefined)?.HTTP_CLIENT_REQUEST_TIMEOUT, '30s')
  assert.deepEqual(child.lines.find(({ msg }) => msg.startsWith('these variables'))?.variables, ['LOAD_CPU_PERCENTAGE'])
})

test('text is the format by default, as in the original', async (t) => {
  const child = start(t, { LOG_FORMAT: '', SHUTDOWN_DELAY: '0s' })
  const text: string[] = []
  child.process.stdout?.removeAllListeners('data').on('data', (data: Buffer) => text.push(data.toString()))
  for (
    const deadline = performance.now() + 5_000;
    !text.join('').includes('listening') && performance.now() < deadline;
  ) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  child.process.kill('SIGTERM')
  assert.equal(await child.exited, 0)
  assert.match(
    text.join(''),
    /^\d{4}-.*Z INFO {2}starting config=.*\n.* INFO {2}listening address=127\.0\.0\.1:\d+\n(.*\n)* ?.* INFO {2}stopped\n$/,
  )
})
