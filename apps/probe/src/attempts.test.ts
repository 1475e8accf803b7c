import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { cleanUp, killed } from '@bulkhead/testing'
import { listen } from './testing/servers.js'

const main = join(import.meta.dirname, 'main.js')

/** The program, and what it says from one "ready" to the next. */
function probe(t: TestContext, ...nodeArgs: readonly string[]) {
  const child = spawn(process.execPath, [...nodeArgs, main, 'attempts'], { stdio: ['pipe', 'pipe', 'pipe'] })
  cleanUp(t, () => killed(child))
  let err = ''
  child.stderr.on('data', (chunk) => {
    err += String(chunk)
  })
  const exited = once(child, 'exit') as Promise<[number | null]>
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const make = async (attempt: object): Promise<readonly Record<string, unknown>[]> => {
    child.stdin.write(`${JSON.stringify(attempt)}\n`)
    const said: Record<string, unknown>[] = []
    for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
      said.push(JSON.parse(next.value))
      if (said.at(-1)?.ready === true) break
    }
    return said
  }
  return { make, exited, end: () => child.stdin.end(), err: () => err }
}

/** An HTTP server that would keep connections, and the attempt that asks it. */
async function server(t: TestContext) {
  const callers: (number | undefined)[] = []
  const http = createServer((request, response) => {
    callers.push(request.socket.remotePort)
    response.end(`hello ${callers.length}`)
  })
  const port = await listen(t, http)
  return { callers, attempt: { kind: 'http', to: { ip: '127.0.0.1' }, host: '127.0.0.1', port } }
}

test('attempts are made one after another in one process, each on a connection of its own', async (t) => {
  const { make, exited, end } = probe(t)
  const { callers, attempt } = await server(t)
  for (const body of ['hello 1', 'hello 2', 'hello 3']) {
    const [seen, ready, ...more] = await make(attempt)
    assert.deepEqual([seen?.symptom, Object(seen?.http).body, more], ['ok', body, []])
    assert.deepEqual(ready, { ready: true })
  }
  assert.equal(new Set(callers).size, 3)
  end()
  assert.deepEqual(await exited, [0, null])
})

test('after one that nobody answered, and one that was refused, it is ready all the same', async (t) => {
  const { make } = probe(t)
  const { attempt } = await server(t)
  const silent = await listen(
    t,
    createServer(() => undefined),
  )
  const symptoms = []
  for (const one of [{ ...attempt, port: silent, timeoutMs: 100 }, { ...attempt, port: 1 }, attempt]) {
    const [seen, ready] = await make(one)
    symptoms.push(seen?.symptom)
    assert.deepEqual(ready, { ready: true })
  }
  assert.deepEqual(symptoms, ['no-answer', 'refused', 'ok'])
})

test('one that something is left in says what it saw, and ends instead of being asked again', async (t) => {
  // As if an attempt had forgotten a connection.
  const leaves = `import net from 'node:net'
    const { connect } = net.Socket.prototype
    net.Socket.prototype.connect = function (...args) { setInterval(() => {}, 1000); return connect.apply(this, args) }`
  const { make, exited } = probe(t, '--import', `data:text/javascript,${encodeURIComponent(leaves)}`)
  const { attempt } = await server(t)
  const said = await make(attempt)
  assert.deepEqual(
    said.map(({ symptom }) => symptom),
    ['ok'],
  )
  assert.deepEqual(await exited, [0, null])
})

test('one that cannot be made as it is written ends it, and it says why', async (t) => {
  const { make, exited, err } = probe(t)
  assert.deepEqual(await make({ kind: 'ftp' }), [])
  assert.deepEqual(await exited, [2, null])
  assert.match(err(), /"kind" is "ftp"/)
})
