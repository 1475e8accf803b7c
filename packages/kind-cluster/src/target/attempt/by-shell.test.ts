import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import type { Observation, ResolvedAttempt } from '@bulkhead/scenarios'
import { cleanUp } from '@bulkhead/testing'
import { bench } from '../testing/bench.js'
import { canShell, shellObservation, shellScript, shellWords } from './by-shell.js'
import { fromNode } from './from-node.js'

const base: ResolvedAttempt = {
  ...{ kind: 'http', to: { ip: '127.0.0.1' }, host: '127.0.0.1', port: 1, timeoutMs: 5000 },
  http: { method: 'POST', path: `/a?b="c"'%s\\n`, headers: { 'X-Odd': `$(id) \`id\` '"\\` }, body: '100% größer\n' },
}

/** Runs it with this machine's bash, as `kubectl exec` would in the pod. */
async function made(attempt: ResolvedAttempt): Promise<Observation | undefined> {
  const [program = '', ...args] = shellWords(attempt)
  const child = spawn(program, args)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()))
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
  child.stdin.end(shellScript(attempt))
  const [code] = await once(child, 'close')
  return shellObservation(attempt, { code: Number(code), stdout, stderr })
}

async function listening(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, () => server.close())
  return (server.address() as AddressInfo).port
}

const serving = (t: TestContext, serve: (socket: Socket) => void): Promise<number> =>
  listening(
    t,
    createTcpServer((socket) => {
      socket.on('error', () => {})
      cleanUp(t, () => socket.destroy())
      serve(socket)
    }),
  )

describe('an attempt by bash', () => {
  it('asks over plain HTTP, and nothing of it is read as a script', async (t) => {
    const asked: unknown[] = []
    const port = await listening(
      t,
      createServer((request, response) => {
        let body = ''
        request.setEncoding('utf8').on('data', (part: string) => (body += part))
        request.on('end', () => {
          asked.push([request.method, request.url, request.headers['x-odd'], request.headers.host, body])
          response.writeHead(418, { 'x-said': 'yes' }).end('Cilium Istio Lab: größer\n')
        })
      }),
    )
    const seen = await made({ ...base, port })
    const { symptom, http } = seen ?? assert.fail('it did not run')
    assert.deepEqual([symptom, http?.status, http?.headers['x-said']], ['ok', 418, 'yes'])
    assert.match(http?.body ?? '', /Cilium Istio Lab: größer/)
    const { path, headers, body } = base.http ?? {}
    assert.deepEqual(asked, [['POST', path, headers?.['X-Odd'], `127.0.0.1:${port}`, body]])
  })

  it("says a MongoDB's first message, and takes the first answer though the server waits for more", async (t) => {
    const got: Buffer[] = []
    const port = await serving(t, (socket) =>
      socket.on('data', (data: Buffer) => {
        got.push(data)
        socket.write(Buffer.from('any answer'))
      }),
    )
    const { http: _, ...hello } = base
    const seen = await made({ ...hello, kind: 'mongo', port })
    assert.deepEqual([seen?.symptom, seen?.bytes], ['ok', 10])
    const message = Buffer.concat(got)
    // Its length, and OP_MSG; then the document, as BSON has it.
    assert.deepEqual([message.readInt32LE(0), message.readInt32LE(12)], [message.length, 2013])
    assert.equal(message.subarray(21).toString('latin1'), '\x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0')
  })

  for (const [what, serve, lateResetMs, symptom] of [
    ['closed at once', (socket: Socket) => socket.end(), 600_000, 'reset'],
    ['reset at once', (socket: Socket) => socket.resetAndDestroy(), 600_000, 'reset'],
    ['closed after what the mesh takes to give up', (socket: Socket) => socket.end(), 0, 'late-reset'],
  ] as const)
    it(`that is ${what} is ${symptom}`, async (t) => {
      const port = await serving(t, (socket) => void socket.once('data', () => serve(socket)))
      // Of many lines, each of which bash sends by itself: it is told before the last of them.
      const http = { method: 'POST', path: '/', body: 'x\n'.repeat(5_000) }
      const seen = await made({ ...base, http, port, lateResetMs })
      assert.deepEqual([seen?.symptom, seen?.bytes], [symptom, 0])
    })

  it('that nobody answers ends in its time; refused and unknown names are told apart', async (t) => {
    const port = await serving(t, () => {})
    const silent = await made({ ...base, port, timeoutMs: 1000 })
    assert.deepEqual([silent?.symptom, silent?.phase], ['no-answer', 'request'])
    const refused = await made({ ...base, port: 1 })
    assert.deepEqual([refused?.symptom, refused?.phase], ['refused', 'connect'])
  })

  it('is read of what bash says: a packet that is dropped, and names', () => {
    const of = (stdout: string, stderr: string, code = 0) =>
      shellObservation({ ...base, lateResetMs: 9000 }, { code, stdout, stderr })?.symptom
    assert.equal(of('', '', 124), 'timeout')
    const name = 'bash: x.example: Temporary failure in name resolution'
    assert.equal(of('bulkhead 20 unconnected\n', name), 'dns-refused')
    assert.equal(of('bulkhead 12000 unconnected\n', name), 'dns-timeout')
    assert.equal(of('bulkhead 20 unconnected\n', 'bash: x: Name or service not known'), 'dns-not-found')
    assert.equal(of('bulkhead 14000 unconnected\n', 'bash: connect: Connection timed out'), 'timeout')
    assert.equal(of('', 'exec failed: "timeout": executable file not found', 126), undefined)
  })

  it('is not made where bash cannot: over TLS, held, more than once, with a token', () => {
    assert.ok(canShell(base))
    for (const more of [{ tls: {} }, { hold: true }, { times: 3 }, { kind: 'hbone' }, { kind: 'udp' }] as const)
      assert.ok(!canShell({ ...base, ...more }), JSON.stringify(more))
    assert.throws(() => shellScript({ ...base, host: 'a; id' }), RangeError)
  })
})

describe('whose bash', () => {
  const exec = /^kubectl exec -i -n/
  const said = 'bulkhead 1 connected\nbulkhead 2 sent\nbulkhead 40 end\n'
  it("a database's, in its pod", async (t) => {
    const { target, tools } = bench(t, [[exec, { stdout: said }]])
    const call = { ...base, to: { service: 'demo/hello-app' }, port: 8000 }
    assert.equal((await target.attempt('demo/postgres', call)).observation.symptom, 'reset')
    const line = tools.lines().find((one) => exec.test(one))
    assert.match(line ?? '', /^kubectl exec -i -n demo postgres-0 -c postgres -- timeout 15 bash$/)
    const { stdin = '' } = tools.asked.find((one) => one.stdin !== undefined) ?? {}
    assert.match(stdin, /\/dev\/tcp\/hello-app\.demo\.svc\.cluster\.local\/8000 /)
  })

  it("a database's that cannot be started is a failure, not an observation", async (t) => {
    const { target } = bench(t, [[exec, { code: 126, stderr: 'exec: "timeout": not found' }]])
    const call = { ...base, to: { service: 'demo/hello-app' }, port: 8000 }
    await assert.rejects(target.attempt('demo/postgres', call), { code: 'attempt-failed', message: /"timeout": not/ })
  })

  it("a node's, for a MongoDB", async () => {
    const asked: string[] = []
    const { http: _, ...hello } = base
    const answer = {
      code: 0,
      stdout: `${said.replace('bulkhead 40', ' 01 02\nbulkhead 40')}`,
      stderr: '',
      durationMs: 1,
    }
    const seen = await fromNode(
      'bulkhead-control-plane',
      { ...hello, kind: 'mongo' },
      {
        run: async (command) => {
          asked.push([command.tool, ...command.args].join(' '))
          return { ...answer, command }
        },
      },
    )
    assert.deepEqual([seen.symptom, seen.bytes], ['ok', 2])
    assert.deepEqual(asked, ['docker exec -i bulkhead-control-plane timeout 5 bash'])
  })
})
