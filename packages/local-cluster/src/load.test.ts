import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cleanUp, eventually, temporaryFolder, wholeSuite } from '@bulkhead/testing'
import { LocalCluster } from './cluster.js'
import { hereAndNow } from './testing.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))
/** Without the walls of the network: what is tried here are the target's own ways, and what identity says. */
const theShop = ['workloads/shop', 'layers/40-mtls', 'layers/50-identity', 'layers/70-ingress'].map((folder) =>
  join(root, 'k8s', folder),
)
const client = fileURLToPath(new URL('../fixtures/load.mjs', import.meta.url))
const clients = 16
const suite = wholeSuite()
let cluster: LocalCluster

before(async () => {
  cluster = await LocalCluster.start({
    manifests: theShop,
    relativeTo: root,
    stateDir: temporaryFolder(suite),
  })
  cleanUp(suite, () => cluster.stop())
  assert.deepEqual(await cluster.whenReady(20_000), [])
})

interface Result {
  readonly id: string
  /** `answered`, `cut` in the middle of an answer, or the error's code. */
  readonly result: string
  readonly status: number
  readonly at: number
}

/** Requests from shop/sleep to web-api, by kept connections through the mesh. Resolves when they flow. */
async function load(): Promise<{ end(): Promise<readonly Result[]> }> {
  const grant = cluster.exec('shop/sleep')
  const child = spawn(process.execPath, [client, String(clients), 'http://web-api:8080/'], {
    env: grant.env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  await eventually('requests flow', () => said.includes('warm\n'), 15_000)
  return {
    async end() {
      child.stdin.end()
      await ended
      grant.revoke()
      return JSON.parse(said.replace('warm\n', '')) as Result[]
    },
  }
}

const one = (workload: string) => {
  const [pod] = cluster.status().workloads.find((found) => found.workload === workload)?.pods ?? []
  return { pid: pod?.containers[0]?.pid ?? 0, ready: pod?.ready === true, log: pod?.log ?? '' }
}

/** What the service says it has taken in, and how it was answered: status by request id. */
function received(log: string): ReadonlyMap<string, number> {
  const lines = readFileSync(log, 'utf8').matchAll(/ status=(\d+) .*requestId=(load-\S+)/g)
  return new Map([...lines].map(([, status, id]) => [id ?? '', Number(status)]))
}

async function assertNothingLost(results: readonly Result[], log: string): Promise<void> {
  const answered = results.filter(({ result }) => result === 'answered')
  // What the comparison rests on: the log knows every answer. It is written a little later than they are.
  await eventually('the log is whole', () => answered.every(({ id }) => received(log).has(id)))
  const taken = received(log)
  const lost = results.filter(({ id, result }) => taken.has(id) && result !== 'answered')
  assert.deepEqual(lost, [])
  assert.ok(answered.length > clients * 10)
  assert.deepEqual(
    answered.filter(({ status }) => status !== 200),
    [],
  )
}

test('a workload that is killed under load is back within 2 s', async () => {
  const away = async (): Promise<number> => {
    const requests = await load()
    const killed = Date.now()
    const { pid } = one('shop/web-api')
    process.kill(pid, 'SIGKILL')
    await eventually('it is ready again', () => one('shop/web-api').pid !== pid && one('shop/web-api').ready)
    await new Promise((resolve) => setTimeout(resolve, 200))
    const results = await requests.end()
    const failed = results.findLast(({ result }) => result !== 'answered')
    assert.ok(failed !== undefined, 'the kill was felt')
    assert.ok(results.some(({ at, status }) => at > failed.at && status === 200))
    return failed.at - killed
  }
  // A machine that is busy with something else may take longer once, but not each time.
  const took: number[] = []
  do {
    const [ms, limit] = await Promise.all([away(), hereAndNow(2000)])
    if (ms < limit) return
    took.push(ms)
  } while (took.length < 3)
  assert.fail(`requests failed until ${took.join(', ')} ms after the kill`)
})

test('a workload that is asked to end under load loses nothing that it has taken in', async () => {
  const requests = await load()
  const { pid, log } = one('shop/web-api')
  process.kill(pid, 'SIGTERM')
  await eventually('it is ready again', () => one('shop/web-api').pid !== pid && one('shop/web-api').ready)
  await assertNothingLost(await requests.end(), log)
})

test('a target that is asked to end under load answers what its services have taken in', async () => {
  const requests = await load()
  const { log } = one('shop/web-api')
  await cluster.stop()
  await assertNothingLost(await requests.end(), log)
})
