import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { it } from 'node:test'
import { cleanUp, killed, temporaryFolder } from '@bulkhead/testing'
import { withGrant } from '../capture/index.js'
import { startMesh } from '../start.js'
import { podOf, summary, withPolicies } from './testing.js'

/* Two real processes with the real capture, and a policy between them that lists requests. */

const snapshot = withPolicies({
  spec: {
    endpointSelector: { matchLabels: { app: 'client' } },
    egress: [
      {
        toEndpoints: [{ matchLabels: { app: 'echo' } }],
        toPorts: [
          {
            ports: [{ port: '8080', protocol: 'TCP' }],
            rules: {
              http: [
                { method: 'GET', path: '/open' },
                { method: 'POST', path: '/take' },
              ],
            },
          },
        ],
      },
    ],
  },
})

const SERVER = `
import { createServer } from 'node:http'
createServer((request, response) => {
  let size = 0
  request.on('data', (chunk) => { size += chunk.length })
  request.on('end', () => response.end(request.url + ' ' + size + ' ' + request.socket.remoteAddress))
}).listen(8080, () => console.log('up'))
`

/** One connection for all of them. */
const CLIENT = `
import { Agent, request } from 'node:http'
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
const said = []
const ports = new Set()
for (const [method, path, body] of [['GET', '/open'], ['GET', '/shut'], ['POST', '/take', Buffer.alloc(3_000_000)], ['PUT', '/take', 'x']]) {
  said.push(await new Promise((resolve, reject) => {
    const asked = request({ agent, method, path, host: 'echo', port: 8080 }, (answer) => {
      let text = ''
      answer.on('data', (chunk) => { text += chunk })
      answer.on('end', () => resolve(answer.statusCode + ' ' + text.trim()))
    })
    asked.on('socket', (socket) => ports.add(socket)).on('error', reject).end(body)
  }))
}
agent.destroy()
console.log(JSON.stringify({ said, connections: ports.size }))
`

it('a keep-alive connection of a real program: each request for itself', { timeout: 60_000 }, async (t) => {
  const runDir = temporaryFolder(t)
  const mesh = await startMesh({ runDir, snapshot, connectTimeoutMs: 300 })
  cleanUp(t, () => mesh.close())
  const [client, echo] = [podOf('test/client'), podOf('test/echo')]
  for (const key of [client, echo]) {
    await mesh.addPod(key)
    mesh.setReady(key, true)
  }
  const run = (key: string, code: string, name?: string) => {
    const grant = mesh.grant(key, name === undefined ? {} : { run: name })
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      env: withGrant({ PATH: process.env.PATH }, grant.env),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    cleanUp(t, () => killed(child))
    return child
  }
  await once(run(echo, SERVER).stdout, 'data')
  const asking = run(client, CLIENT, 'run')
  let printed = ''
  asking.stdout.on('data', (chunk: Buffer) => {
    printed += chunk
  })
  await once(asking, 'close')
  const ip = snapshot.pods.get(client)?.ip
  assert.deepEqual(JSON.parse(printed), {
    said: [`200 /open 0 ${ip}`, '403 Access denied', `200 /take 3000000 ${ip}`, '403 Access denied'],
    connections: 1,
  })
  assert.deepEqual(mesh.flows({ run: 'run' }).map(summary), [
    'allow, ok, -, 200',
    'deny, cilium-403, DENY, cni-egress cni.http-denied, 403',
    'allow, ok, -, 200',
    'deny, cilium-403, DENY, cni-egress cni.http-denied, 403',
  ])
})
