import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import type { Attempt } from '@bulkhead/scenarios'
import { cleanUp } from '@bulkhead/testing'
import { recordingTools } from '../../testing/index.js'
import { bench } from '../testing/bench.js'
import { fromNode } from './from-node.js'

const get: Attempt = {
  ...{ kind: 'http', to: { workload: 'gthulhu/gthulhu-manager' }, port: 8080 },
  http: { method: 'PUT', path: '/a?b="c"', headers: { 'X-A': 'b\\"c' }, body: '{"a":\n1}' },
}
const curl = 'docker exec -i bulkhead-control-plane curl'
const told = (exit: number, more: object = {}): string =>
  `\nbulkhead-curl: ${JSON.stringify({ exitcode: exit, errormsg: exit === 0 ? null : 'why', time_connect: 0, time_total: 0.2, ...more })}`

const asked = async (stdout: string) => {
  const tools = recordingTools([[curl, { stdout }]])
  const resolved = { ...get, host: '10.244.1.2', timeoutMs: 15_000, lateResetMs: 9_000 }
  return { tools, observation: await fromNode('bulkhead-control-plane', resolved, tools) }
}

describe('a program of a node', () => {
  it('is curl, told by a configuration on stdin whom to ask', async () => {
    const { observation, tools } = await asked(`HTTP/1.1 200 OK\r\nX-B: c\r\n\r\nbody${told(0, { time_connect: 0.1 })}`)
    assert.deepEqual(
      [observation.symptom, observation.http],
      ['ok', { status: 200, headers: { 'x-b': 'c' }, body: 'body' }],
    )
    const command = tools.asked.find(({ tool }) => tool === 'docker')
    assert.deepEqual(command?.args, ['exec', '-i', 'bulkhead-control-plane', 'curl', '--disable', '--config', '-'])
    assert.match(command?.stdin ?? '', /^url = "http:\/\/10\.244\.[\d.]+:8080\/a\?b=\\"c\\""$/m)
  })

  const cases: readonly (readonly [string, string, object])[] = [
    ['timeout', told(28), {}],
    ['no-answer', told(28, { time_connect: 0.1 }), {}],
    ['refused', told(7), {}],
    ['reset', told(52, { time_connect: 0.1 }), {}],
    ['reset', told(56, { time_connect: 0.1 }), {}],
    ['late-reset', told(56, { time_connect: 0.1, time_total: 10.1 }), {}],
    ['dns-not-found', told(6), {}],
    ['rbac-403', `HTTP/1.1 403 Forbidden\r\n\r\nRBAC: access denied${told(0)}`, {}],
    ['cilium-403', `HTTP/1.1 403 Forbidden\r\n\r\nAccess denied\r\n${told(0)}`, {}],
  ]
  for (const [symptom, stdout] of cases)
    it(`${symptom} (${/exitcode":(\d+)/.exec(stdout)?.[1]})`, async () => {
      assert.equal((await asked(stdout)).observation.symptom, symptom)
    })

  it('cannot be what speaks to a database', async (t) => {
    const { target } = bench(t, [])
    const login: Attempt = { kind: 'postgres', to: { workload: 'demo/postgres' }, port: 5432 }
    await assert.rejects(target.attempt('node bulkhead-control-plane', login), {
      code: 'not-makeable',
      message: /curl/,
    })
  })

  it('that does not start is told', async (t) => {
    const { target } = bench(t, [[curl, { code: 1, stderr: 'No such container' }]])
    await assert.rejects(target.attempt('node bulkhead-control-plane', get), {
      code: 'attempt-failed',
      message: /No such container/,
    })
  })

  it('a real curl takes that configuration', async (t) => {
    const requests: { url?: string | undefined; method?: string | undefined; header: unknown; body: string }[] = []
    const server = createServer((request, response) => {
      let body = ''
      request.on('data', (data: Buffer) => {
        body += data.toString()
      })
      request.on('end', () => {
        requests.push({ url: request.url, method: request.method, header: request.headers['x-a'], body })
        response.end('hello')
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanUp(t, () => server.close())
    const { port } = server.address() as AddressInfo
    const there = await once(spawn('curl', ['--version']), 'close').catch(() => undefined)
    if (there === undefined) return t.diagnostic('no curl here, so that a real one was not asked')
    const run = async ({ args, stdin = '' }: { readonly args: readonly string[]; readonly stdin?: string }) => {
      const child = spawn('curl', args.slice(4))
      let stdout = ''
      child.stdout.on('data', (data: Buffer) => {
        stdout += data.toString()
      })
      child.stdin.end(stdin)
      const [code] = await once(child, 'close')
      return { code: Number(code), stdout, stderr: '', durationMs: 1 }
    }
    const tools = {
      run: async (command: Parameters<typeof run>[0]) => ({ ...(await run(command)), command: command as never }),
    }
    const { symptom, http } = await fromNode('n', { ...get, port, host: '127.0.0.1', token: 't' }, tools)
    assert.deepEqual([symptom, http?.status, http?.body], ['ok', 200, 'hello'])
    assert.deepEqual(requests, [{ url: '/a?b="c"', method: 'PUT', header: 'b\\"c', body: '{"a":\n1}' }])
  })
})
