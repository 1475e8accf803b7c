import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  EMPTY_ROOT,
  managerTo,
  merkleRoot,
  type SchedulerReport,
  schedExtOf,
  schedulerOf,
  schedulerReportSchema,
  signStatement,
  verifyStatement,
} from '@bulkhead/intents'
import { Child } from '@bulkhead/service-kit/testing'
import { cleanUp, eventually, temporaryFolder } from '@bulkhead/testing'
import { addProcess, procTree } from './testing/proc-tree.js'
import { intent, managerKey, NODE, POD_A, type Strategy, schedulerKey } from './testing/scheduler.js'

const program = fileURLToPath(new URL('./main.js', import.meta.url))
const cgroup = `0::/kubepods/burstable/pod${POD_A}/${'ab'.repeat(32)}`

/** A manager that takes reports, and answers as a test says. */
async function startManager(t: TestContext) {
  const reports: SchedulerReport[] = []
  let answer = (response: ServerResponse, { rootHash }: SchedulerReport): void => {
    response.end(JSON.stringify({ success: true, data: { rootHash, inSync: true }, timestamp: '' }))
  }
  const listener: RequestListener = async (request, response) => {
    const token = (request.headers.authorization ?? '').replace('Bearer ', '')
    await verifyStatement(token, createPublicKey(schedulerKey), schedulerOf(NODE))
    assert.deepEqual([request.method, request.url], ['PUT', `/api/v1/schedulers/${NODE}`])
    // Whoever is killed in the middle of a report has made none.
    const body = await json(request).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET') throw error
    })
    if (body === undefined) return
    const report = schedulerReportSchema.parse(body)
    reports.push(report)
    answer(response, report)
  }
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, () => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    reports,
    server,
    url: `http://127.0.0.1:${port}`,
    answers: (next: typeof answer) => {
      answer = next
    },
  }
}

function environment(t: TestContext, managerUrl: string): Record<string, string> {
  const folder = temporaryFolder(t)
  const [own, manager] = [join(folder, 'private-key.pem'), join(folder, 'public-key.pem')]
  writeFileSync(own, schedulerKey.export({ type: 'pkcs8', format: 'pem' }))
  writeFileSync(manager, createPublicKey(managerKey).export({ type: 'spki', format: 'pem' }))
  return {
    SCHEDULER_SERVER_HOST: '127.0.0.1:0',
    SCHEDULER_MANAGER_URL: managerUrl,
    NODE_NAME: NODE,
    POD_NAME: 'gthulhu-scheduler-x',
    SCHEDULER_KEY_RSA_PRIVATE_KEY_PEM_FILE: own,
    SCHEDULER_MANAGER_PUBLIC_KEY_PEM_FILE: manager,
    MACHINE_ID: 'machine-1',
    SHUTDOWN_DELAY: '10ms',
  }
}

interface Said {
  readonly status: number
  readonly body: { readonly data?: Record<string, unknown>; readonly scheduling?: readonly Strategy[] }
}

async function ask(url: string, method: string, path: string, token?: string, body?: object): Promise<Said> {
  const response = await fetch(url + path, {
    method,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Said['body'] }
}

const asManager = (): Promise<string> => signStatement(managerKey, managerTo(NODE), Date.now())

describe('the program', { concurrency: 2 }, () => {
  it('D10: as a pod does: it reports, is pushed a set, finds the processes, tells the scheduler beside it, and ends', async (t) => {
    const manager = await startManager(t)
    const root = procTree(t, { 7: { cgroup, comm: 'nginx' }, 8: { cgroup, comm: 'sh' } })
    const child = new Child(t, program, { ...environment(t, manager.url), PROC_ROOT: root })
    const url = `http://127.0.0.1:${await child.port()}`
    const first = await eventually('a report', () => manager.reports[0])
    assert.deepEqual([first.podName, first.setVersion, first.rootHash], ['gthulhu-scheduler-x', 0, EMPTY_ROOT])

    const set = { version: 5, intents: [intent({ commandRegex: 'nginx' })] }
    const taken = await ask(url, 'PUT', '/api/v1/intents', await asManager(), set)
    assert.deepEqual(taken.body.data, { version: 5, rootHash: merkleRoot(set.intents), intents: 1 })
    const next = await eventually('its report', () => manager.reports.find(({ setVersion }) => setVersion === 5))
    assert.equal(next.rootHash, merkleRoot(set.intents))

    const { body } = await ask(url, 'POST', '/api/v1/auth/token', undefined, {
      client_assertion: await signStatement(schedulerKey, schedExtOf(NODE), Date.now()),
    })
    const token = String(body.data?.token)
    const strategies = await ask(url, 'GET', '/api/v1/scheduling/strategies', token)
    assert.deepEqual(
      strategies.body.scheduling?.map(({ pid }) => pid),
      [7],
    )
    addProcess(root, 9, { cgroup, comm: 'nginx' })
    await eventually('the new process', async () => {
      const { body: later } = await ask(url, 'GET', '/api/v1/scheduling/strategies', token)
      return later.scheduling?.length === 2
    })
    const pids = await ask(url, 'GET', '/api/v1/pods/pids', await asManager())
    assert.equal(pids.body.data?.node_name, NODE)

    child.process.kill('SIGTERM')
    assert.equal(await child.exited, 0)
    assert.equal(child.lines.at(-1)?.msg, 'stopped')
    const lines = JSON.stringify(child.lines) + child.stderr
    for (const secret of ['PRIVATE KEY', 'PUBLIC KEY', token]) assert.ok(!lines.includes(secret), secret)
  })

  it('without a manager it runs, says so once, and ends when it is told to, in the middle of a report', async (t) => {
    const manager = await startManager(t)
    manager.answers((response) => response.writeHead(503).end('{}'))
    const root = procTree(t, { 7: { cgroup } })
    const child = new Child(t, program, { ...environment(t, manager.url), PROC_ROOT: root })
    const url = `http://127.0.0.1:${await child.port()}`
    await eventually('three tries', () => manager.reports.length > 2)
    await eventually('ready', async () => (await ask(url, 'GET', '/readyz')).status === 200)
    const told = child.lines.filter(({ msg }) => msg.startsWith('the manager could not be told'))
    assert.equal(told.length, 1)
    assert.match(String(told[0]?.why), /503/)
    const before = manager.reports.length
    manager.answers(() => {})
    await eventually('a report that is never answered', () => manager.reports.length > before)
    child.process.kill('SIGTERM')
    assert.equal(await child.exited, 0)
    assert.equal(child.lines.at(-1)?.msg, 'stopped')
    assert.ok(!child.lines.some(({ msg }) => msg === 'could not be closed'))
  })

  it('without a folder of processes it is not ready, and says which', async (t) => {
    const manager = await startManager(t)
    const child = new Child(t, program, { ...environment(t, manager.url), PROC_ROOT: '/no/such/folder' })
    const url = `http://127.0.0.1:${await child.port()}`
    assert.equal((await ask(url, 'GET', '/readyz')).status, 503)
    assert.equal((await ask(url, 'GET', '/livez')).status, 200)
    const { err } = await child.line(({ msg }) => msg === 'readiness check failed', 'why')
    assert.match(JSON.stringify(err), /\/no\/such\/folder/)
  })

  it('settings that are wrong end it with 78 and a sentence each', async (t) => {
    const child = new Child(t, program, { SCHEDULER_MANAGER_URL: 'gthulhu-manager:8080', POD_NAME: 'p' })
    assert.equal(await child.exited, 78)
    assert.deepEqual(child.stderr.trim().split('\n').sort(), [
      "invalid env var NODE_NAME (it is not set; in the container's env, take it from the pod: valueFrom.fieldRef.fieldPath spec.nodeName)",
      'invalid env var SCHEDULER_KEY_RSA_PRIVATE_KEY_PEM (it is not set, and it has no default)',
      'invalid env var SCHEDULER_MANAGER_PUBLIC_KEY_PEM (it is not set, and it has no default)',
      'invalid env var SCHEDULER_MANAGER_URL="gthulhu-manager:8080" (it must be an http:// or https:// URL)',
    ])
  })
})
