import assert from 'node:assert/strict'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import type { Pod } from '@bulkhead/verdict'
import { createCa } from './ca.js'
import { Members } from './members.js'
import { shop } from './testing/fake-snapshot.js'

/** Members without anybody, whose certificates come when `issue` is called. */
async function held(t: TestContext) {
  const runDir = temporaryFolder(t)
  mkdirSync(join(runDir, 'hbone'))
  const ca = await createCa()
  let issue = () => {}
  const asked = new Promise<void>((resolve) => {
    issue = resolve
  })
  const slow: typeof ca = { ...ca, issue: (identity) => asked.then(() => ca.issue(identity)) }
  const pod = shop().pods.get('shop/web-api') ?? assert.fail()
  let known: Pod = pod
  const members = new Members({
    runDir,
    ca: slow,
    token: Buffer.alloc(16),
    log: undefined,
    identityOf: ({ identity }) => identity,
    podOf: () => known,
    handlerOf: () => ({ stream: () => {}, refused: () => {} }),
    rotated: () => {},
    left: () => {},
    timeouts: undefined,
  })
  const label = (mesh: boolean) => {
    known = { ...pod, mesh }
    members.reenroll()
  }
  return { members, pod, label, issue: () => issue(), sockets: () => readdirSync(join(runDir, 'hbone')) }
}

/** Whether it has settled by now, with everything that follows at once. */
const settled = (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([promise.then(() => true), new Promise<false>((resolve) => setImmediate(() => resolve(false)))])

it('a pod that goes while it is taken into the mesh is gone when nothing of it comes any more', async (t) => {
  const { members, pod, label, issue, sockets } = await held(t)
  label(false)
  await members.add({ ...pod, mesh: false }, async () => {})
  label(true)
  const gone = members.remove(pod.key)
  assert.equal(await settled(gone), false, 'its certificate is still on the way')
  issue()
  await gone
  assert.deepEqual([sockets(), members.hbonePath(pod.key), members.has(pod.key)], [[], undefined, false])
})

it('the same of one that only comes; and one that stays has its port', async (t) => {
  const { members, pod, issue, sockets } = await held(t)
  const coming = members.add(pod, async () => {})
  await new Promise(setImmediate)
  const gone = members.remove(pod.key)
  assert.equal(await settled(gone), false)
  issue()
  await gone
  assert.deepEqual(sockets(), [])
  await coming
  await members.add(pod, async () => {})
  assert.equal(sockets().length, 1)
  await members.remove(pod.key)
  assert.deepEqual(sockets(), [])
})
