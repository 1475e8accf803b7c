import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { test } from 'node:test'
import { cleanUp, wholeSuite } from '@bulkhead/testing'
import { root } from '../target/testing.js'

/*
 * docs/labs/at.mjs, which a pod's own Node.js is given for curl, nslookup and nc: held against curl itself.
 */

const program = readFileSync(path.join(root, 'docs/labs/at.mjs'), 'utf8')

async function run(command: string, args: readonly string[], input = '') {
  const child = spawn(command, args, { env: { PATH: process.env.PATH } })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()))
  child.stdin.end(input)
  const [code] = await once(child, 'close')
  return { code: Number(code), ...said }
}

const at = (...args: readonly string[]) => run(process.execPath, ['--input-type=module', '-e', program, '--', ...args])
const atWith = (input: string, ...args: readonly string[]) =>
  run(process.execPath, ['--input-type=module', '-e', program, '--', ...args], input)

const suite = wholeSuite()

async function listening(answer: RequestListener): Promise<number> {
  const server = createServer(answer)
  cleanUp(suite, () => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

const port = await listening((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const { method, url, headers } = request
    if (url === '/reset') request.socket.resetAndDestroy()
    else if (url === '/end') request.socket.end()
    else if (url === '/slow') return
    else if (url === '/403') response.writeHead(403).end('RBAC: access denied')
    else
      response.end(`${method} ${url} ${headers.host} ${headers['content-type']} ${Buffer.concat(chunks).toString()}\n`)
  })
})
const here = `http://127.0.0.1:${port}`

test("a call ends with curl's number, and prints what curl prints", async () => {
  const calls: readonly (readonly string[])[] = [
    [`${here}/`],
    ['-w', '\\n%{http_code}\\n', '-X', 'DELETE', `${here}/403`],
    ['-o', '/dev/null', '-w', '%{http_code}\\n', `${here}/x/../y`],
    ['--path-as-is', `${here}/x/../%00;a?b`],
    ['-H', 'content-type: application/json', '-d', '{"a": 1}', `${here}/`],
    ['-d', 'all', `${here}/`],
    ['--connect-to', `a.example:80:127.0.0.1:${port}`, 'http://a.example/'],
    [`${here}/reset`],
    [`${here}/end`],
    ['-w', '%{http_code}', `${here}/end`],
    ['-m', '1', `${here}/slow`],
    ['-k', `https://127.0.0.1:${port}/`],
    ['http://127.0.0.1:1/'],
    ['http://a.invalid/'],
  ]
  for (const call of calls) {
    const [ours, curl] = await Promise.all([
      at('curl', '-sS', ...call),
      run('curl', ['-sS', '--noproxy', '*', ...call]),
    ])
    assert.deepEqual(
      [ours.code, ours.stdout],
      [curl.code, curl.stdout],
      `${call.join(' ')}: ${ours.stderr}${curl.stderr}`,
    )
    assert.match(ours.stderr, ours.code === 0 ? /^$/ : new RegExp(`^curl: \\(${ours.code}\\) .+\\n$`), call.join(' '))
  }
})

test('what is on stdin is sent, without its line ends', async () => {
  const { stdout } = await atWith('{"a":\n1}\n', 'curl', '-sS', '-d', '@-', `${here}/`)
  assert.match(stdout, /^POST \/ .* application\/x-www-form-urlencoded \{"a":1\}\n$/)
})

test('an option that it does not know is refused, and so is another program', async () => {
  for (const call of [
    ['curl', '-T', 'a'],
    ['curl', '--http2', here],
    ['nc', '-l', '1'],
    ['curl', '-H'],
  ])
    assert.deepEqual((await at(...call)).code, 2, call.join(' '))
  assert.deepEqual(await at('wget', here), {
    code: 127,
    stdout: '',
    stderr: 'wget: not known here; there are curl, nslookup, nc\n',
  })
})

test('nc says whether somebody listens, and sends a datagram', async () => {
  assert.deepEqual(await at('nc', '-z', '-w', '3', '127.0.0.1', String(port)), { code: 0, stdout: '', stderr: '' })
  assert.equal((await at('nc', '-z', '-w', '3', '127.0.0.1', '1')).code, 1)
  const echo = createSocket('udp4')
  echo.on('message', (message, from) => echo.send(`got ${message.toString()}`, from.port, from.address))
  echo.bind(0, '127.0.0.1')
  await once(echo, 'listening')
  try {
    const said = await atWith('hello\n', 'nc', '-u', '-w', '1', '127.0.0.1', String(echo.address().port))
    assert.deepEqual(said, { code: 0, stdout: 'got hello\n', stderr: '' })
  } finally {
    echo.close()
  }
})

test('nslookup tells a name that is refused from an address', async () => {
  const dns = createSocket('udp4')
  dns.on('message', (query, from) => {
    const answer = Buffer.from(query)
    const isRefused = query.includes('hunter2')
    answer[2] = 0x81
    answer[3] = isRefused ? 0x85 : 0x80
    answer.writeUInt16BE(isRefused ? 0 : 1, 6)
    answer.writeUInt16BE(0, 10)
    const question = answer.subarray(0, answer.indexOf(0, 12) + 5)
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 203, 0, 113, 66])
    dns.send(isRefused ? question : Buffer.concat([question, record]), from.port, from.address)
  })
  dns.bind(0, '127.0.0.1')
  await once(dns, 'listening')
  const server = `127.0.0.1:${dns.address().port}`
  try {
    assert.deepEqual(await at('nslookup', 'a.example', server), {
      code: 0,
      stdout: 'Name:\ta.example\nAddress: 203.0.113.66\n',
      stderr: '',
    })
    assert.deepEqual(await at('nslookup', 'hunter2.example', server), {
      code: 1,
      stdout: '',
      stderr: "nslookup: server can't find hunter2.example: REFUSED\n",
    })
  } finally {
    dns.close()
  }
})
