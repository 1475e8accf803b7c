import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { cleanUp, eventually, temporaryFolder } from '@bulkhead/testing'
import { LocalCluster } from './cluster.js'

/** A pod with init containers: each is the text of a program. */
const job = (init: readonly string[], main: string, more = '') => `
apiVersion: v1
kind: ServiceAccount
metadata: { name: job, namespace: shop }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: job, namespace: shop }
spec:
  selector: { matchLabels: { app: job } }
  template:
    metadata: { labels: { app: job } }
    spec:
      serviceAccountName: job
      volumes: [{ name: scratch, emptyDir: {} }]
      initContainers:
${init.map((text, index) => container(`init-${index}`, text)).join('\n')}
      containers:
${container('main', main)}
${more}`

const container = (name: string, text: string) => `
        - name: ${name}
          image: localhost/bulkhead/probe:0.1.0
          command: [node, -e, ${JSON.stringify(text)}]
          env: [{ name: FILE, value: /scratch/file }]
          volumeMounts: [{ name: scratch, mountPath: /scratch }]`

async function start(t: TestContext, text: string) {
  const folder = temporaryFolder(t)
  const manifests = join(folder, 'manifests')
  const stateDir = join(folder, 'state')
  mkdirSync(manifests)
  writeFileSync(join(manifests, 'job.yaml'), text)
  const cluster = await LocalCluster.start({ manifests: [manifests], relativeTo: manifests, stateDir })
  // Registered after the folder, so that it is done before the folder goes.
  cleanUp(t, () => cluster.stop({ graceMs: 0 }))
  const pod = () => {
    const [found] = cluster.status().workloads[0]?.pods ?? []
    assert.ok(found !== undefined)
    return found
  }
  return { cluster, stateDir, pod, log: () => readFileSync(pod().log, 'utf8') }
}

const append = (word: string) => `require('fs').appendFileSync(process.env.FILE, '${word} ')`

test('init containers run one after the other, then the others; when the pod goes its files go too', async (t) => {
  const main = `console.log('found', require('fs').readFileSync(process.env.FILE, 'utf8')); setInterval(() => {}, 1000)`
  const first = `setTimeout(() => ${append('first')}, 100)`
  const { cluster, stateDir, pod, log } = await start(t, job([first, append('second')], main))
  assert.deepEqual(await cluster.whenReady(10_000), [])
  assert.deepEqual(
    pod().containers.map(({ name, phase, lastExit }) => [name, phase, lastExit]),
    [
      ['init-0', 'ended', 'exit code 0'],
      ['init-1', 'ended', 'exit code 0'],
      ['main', 'running', undefined],
    ],
  )
  await eventually('the main one has read what they wrote', () => /^found first second $/m.test(log()))
  assert.ok(existsSync(join(stateDir, 'pods', 'shop')))
  await cluster.stop()
  assert.equal(existsSync(join(stateDir, 'pods')), false)
})

test('an init container that fails holds up its own pod alone, and is run again', async (t) => {
  const flaky = `${append('try')}; if (require('fs').readFileSync(process.env.FILE, 'utf8').length < 8) process.exit(7)`
  const { cluster, pod, log } = await start(t, job([flaky], 'setInterval(() => {}, 1000)'))
  assert.deepEqual(await cluster.whenReady(10_000), [])
  assert.equal(pod().containers[0]?.restarts, 1)
  assert.match(log(), /^--- \S+ init-0: ended, exit code 7; started again at once$/m)
})

test('waiting ends when an init container fails again and again, and stopping does not wait for one that hangs', async (t) => {
  const failing = await start(t, job(['process.exit(7)'], 'setInterval(() => {}, 1000)'))
  const waited = await failing.cluster.whenReady(30_000)
  assert.deepEqual([waited.length, failing.pod().containers.map(({ name }) => name)], [1, ['init-0']])
  const hanging = await start(t, job([`process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)`], ''))
  assert.equal((await hanging.cluster.whenReady(100)).length, 1)
  const began = performance.now()
  await hanging.cluster.stop({ graceMs: 100 })
  assert.ok(performance.now() - began < 5_000)
})

test('a program that cannot be started is a container that fails, not a supervisor that does', async (t) => {
  // Longer than the kernel takes in one variable.
  const text = job([], 'setInterval(() => {}, 1000)').replace('/scratch/file', 'x'.repeat(200_000))
  const { cluster, pod } = await start(t, text)
  assert.equal((await cluster.whenReady(30_000)).length, 1)
  assert.match(pod().containers[0]?.lastExit ?? '', /E2BIG/)
})

test("a failed container's last words are in its status where its manifest asks for them, as they are in a cluster's", async (t) => {
  const text = job([], `console.log('first'); console.error('no data\\x1b[31m folder'); process.exit(3)`)
  const asked = text.replace('command:', 'terminationMessagePolicy: FallbackToLogsOnError\n          command:')
  for (const [manifest, wanted] of [
    [text, 'exit code 3'],
    [asked, 'exit code 3: no data [31m folder'],
  ] as const) {
    const { pod } = await start(t, manifest)
    await eventually('it has ended', () => pod().containers[0]?.lastExit !== undefined)
    assert.equal(pod().containers[0]?.lastExit, wanted)
  }
})
