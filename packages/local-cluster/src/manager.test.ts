import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cleanUp, eventually, temporaryFolder } from '@bulkhead/testing'
import { LocalCluster } from './cluster.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
/** The manager answers within 10 s whatever becomes of its database; the rest is a busy machine's. */
const answerMs = 20_000

interface Answer {
  readonly status: number
  readonly body: { readonly code?: string; readonly data?: Readonly<Record<string, unknown>> }
}

const up = (stateDir: string): Promise<LocalCluster> =>
  LocalCluster.start({
    manifests: ['k8s/workloads/gthulhu', 'k8s/workloads/gthulhu-node', 'k8s/layers/70-ingress/gthulhu'].map((folder) =>
      join(root, folder),
    ),
    relativeTo: root,
    stateDir,
    outside: 'stand-in',
  })

/** The API as somebody outside uses it, by the gateway. */
function client(cluster: LocalCluster) {
  const { url } =
    cluster.status().published.find(({ service }) => service === 'gthulhu/gthulhu-gw-istio') ?? assert.fail()
  let token = ''
  const call = async (method: string, path: string, body?: object): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, {
      method,
      // Who a caller says he is is nothing: the gateway puts behind it who he is.
      headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': '203.0.113.9, 10.244.0.9' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(answerMs),
    })
    const text = await response.text()
    return { status: response.status, body: text.startsWith('{') ? (JSON.parse(text) as Answer['body']) : {} }
  }
  return {
    call,
    async login(password: string) {
      const { status, body } = await call('POST', '/api/v1/auth/login', { username: 'admin@example.com', password })
      token = String(body.data?.token)
      return status
    },
    strategies: async () => (await call('GET', '/api/v1/strategies/self')).body.data?.strategies as { id: string }[],
  }
}

/** A pod that tries a login at each of the hosts, and says that it is at another address. */
async function guessInside(cluster: LocalCluster, hosts: readonly string[], lie: string): Promise<void> {
  const code = `
    const [lie, ...hosts] = process.argv.slice(1)
    const body = JSON.stringify({ username: 'admin@example.com', password: 'a guess' })
    const guess = (host) => fetch('http://' + host + '/api/v1/auth/login', { method: 'POST', body, headers: { 'x-forwarded-for': lie } })
    const all = async () => { for (const host of hosts) if ((await guess(host)).status !== 401) throw new Error(host) }
    all()`
  const { env, revoke } = cluster.exec('gthulhu/gthulhu-mongodb')
  try {
    await promisify(execFile)(process.execPath, ['-e', code, lie, ...hosts], { env, timeout: answerMs })
  } finally {
    revoke()
  }
}

const pidOf = (cluster: LocalCluster, workload: string): number | undefined =>
  cluster
    .status()
    .workloads.find((one) => one.workload === workload)
    ?.pods[0]?.containers.at(-1)?.pid

const textsIn = (folder: string): string =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n')

test('the manager runs from its manifests: through its gateway, with its database gone and back, and over a restart of all', async (t) => {
  const stateDir = temporaryFolder(t)
  let cluster = await up(stateDir)
  cleanUp(t, () => cluster.stop({ graceMs: 0 }))
  assert.deepEqual(await cluster.whenReady(60_000), [])
  const [told, ...more] = cluster.takeUntold()
  assert.deepEqual([told?.secret, more], ['gthulhu/gthulhu-manager-admin', []])
  const password = told?.values.find(({ key }) => key === 'password')?.value ?? assert.fail()

  const first = client(cluster)
  assert.equal(await first.login(`${password}x`), 401)
  assert.equal(await first.login(password), 200)
  // Behind the gateway a pod is whom the gateway names; at the manager's own port it is believed, and no wall stops it here.
  await guessInside(cluster, ['gthulhu-gw-istio', 'gthulhu-manager:8080'], '198.51.100.7')
  const { body: audit } = await first.call('GET', '/api/v1/audit?action=auth.login')
  const entries = audit.data?.entries as { outcome: string; username: string; ip: string }[]
  assert.deepEqual(
    entries
      .map(({ outcome, username, ip }) => [outcome, username, ip.replace(/^10\.244\.\d+\.\d+$/, 'a pod')])
      .reverse(),
    [
      ['refused', 'admin@example.com', '172.18.0.1'],
      ['ok', 'admin@example.com', '172.18.0.1'],
      ['refused', 'admin@example.com', 'a pod'],
      ['refused', 'admin@example.com', '198.51.100.7'],
    ],
  )
  const nodes = await first.call('GET', '/api/v1/nodes')
  assert.deepEqual(nodes.body.data, {
    nodes: ['bulkhead-control-plane', 'bulkhead-worker', 'bulkhead-worker2'].map((name) => ({ name, status: 'Ready' })),
  })
  const criteria = {
    k8sNamespace: ['gthulhu'],
    labelSelectors: [{ key: 'app.kubernetes.io/component', value: 'mongodb' }],
  }
  const made = await first.call('POST', '/api/v1/strategies', criteria)
  assert.deepEqual([made.status, made.body.data?.intents], [201, 1])
  const { id } = made.body.data ?? {}
  // Measurements and probes are for the inside.
  assert.equal((await first.call('GET', '/metrics')).status, 403)
  assert.equal((await first.call('GET', '/readyz')).status, 403)

  const database = pidOf(cluster, 'gthulhu/gthulhu-mongodb') ?? assert.fail()
  process.kill(database, 'SIGKILL')
  const meanwhile = await first.call('GET', '/api/v1/strategies/self')
  assert.ok([200, 503].includes(meanwhile.status), `answered ${meanwhile.status}`)
  await eventually(
    'the database is another process',
    () => ![undefined, database].includes(pidOf(cluster, 'gthulhu/gthulhu-mongodb')),
    20_000,
  )
  await eventually(
    'it works again',
    async () => (await first.call('GET', '/api/v1/strategies/self')).status === 200,
    30_000,
  )
  assert.deepEqual(
    (await first.strategies()).map((one) => one.id),
    [id],
  )

  const status = JSON.stringify(cluster.status())
  await cluster.stop()
  const kept = readdirSync(join(stateDir, 'secrets/gthulhu')).flatMap((file) =>
    Object.values(JSON.parse(readFileSync(join(stateDir, 'secrets/gthulhu', file), 'utf8')) as Record<string, string>),
  )
  assert.equal(kept.length, 5)
  const said = `${status}\n${textsIn(join(stateDir, 'logs'))}`
  assert.match(said, /the first admin has been made/)
  // Of a key in PEM, the first line that is its own.
  for (const value of kept) {
    const [first = '', second] = value.split('\n')
    assert.ok(!said.includes(second ?? first), 'a secret is in a log, or in the status')
  }

  cluster = await up(stateDir)
  assert.deepEqual(await cluster.whenReady(60_000), [])
  assert.deepEqual(cluster.takeUntold(), [])
  const second = client(cluster)
  assert.equal(await second.login(password), 200)
  assert.deepEqual(
    (await second.strategies()).map((one) => one.id),
    [id],
  )
})
