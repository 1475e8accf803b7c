import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { placeOf } from '@bulkhead/kind-cluster'
import { standIns } from '@bulkhead/kind-cluster/testing'
import { cleanUp, killed, plainFolder } from '@bulkhead/testing'
import { repository } from '../golden.js'

const record = { uid: 'the-uid', begun: 'then', networkWasThere: true, steps: {}, untold: [] }

/** The command line itself, with real programs under the tools' names: a cluster of ours is there, and the first build never ends. */
function interruptible(t: TestContext, hangs: 'hears' | 'deaf') {
  const folder = plainFolder(t)
  const place = placeOf(repository, path.join(folder, 'state'))
  mkdirSync(place.folder, { recursive: true })
  writeFileSync(place.record, JSON.stringify(record))
  writeFileSync(place.kubeconfig, '')
  const tools = standIns(folder, {
    kind: [{ args: '^get clusters$', stdout: 'bulkhead\n' }],
    kubectl: [
      { args: 'config view', stdout: 'https://127.0.0.1:40123' },
      { args: 'get namespace kube-system', stdout: 'the-uid' },
    ],
    docker: [{ args: 'buildx build', stdout: 'building\n', hangs }],
  })
  const bin = path.join(repository, 'apps/cli/bin/bulkhead.js')
  const child = spawn(process.execPath, [bin, 'cluster', 'up', '--state', path.join(folder, 'state')], {
    cwd: repository,
    env: { PATH: tools.path, KUBECONFIG: '/somewhere/else' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  cleanUp(t, () => killed(child))
  let said = ''
  child.stderr.on('data', (data: Buffer) => {
    said += data.toString()
  })
  const build = async () => {
    for (;;) {
      assert.equal(child.exitCode, null, said)
      const found = tools.asked().find(({ tool }) => tool === 'docker')
      if (found !== undefined) return found
      await delay(20)
    }
  }
  return { child, place, tools, build, ended: once(child, 'close'), said: () => said }
}

const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('Ctrl-C ends the tool that runs, says what is there and how to go on; nothing of it is left', async (t) => {
  const { child, place, tools, build, ended, said } = interruptible(t, 'hears')
  const { pid, env } = await build()
  assert.equal(env.KUBECONFIG, undefined)
  child.kill('SIGINT')
  const [code] = await ended
  assert.equal(code, 130)
  assert.match(
    said(),
    /interrupted at "Build the images of the apps"\. The cluster is there.*cluster up --state \S+` goes on, .*cluster down --state \S+`/s,
  )
  assert.ok(!runs(pid))
  assert.ok(!existsSync(place.lock))
  assert.deepEqual(JSON.parse(readFileSync(place.record, 'utf8')), record)
  assert.equal(tools.asked().at(-1)?.tool, 'docker', 'nothing was asked after it')
})

test('a second Ctrl-C does not wait for a tool that does not hear', async (t) => {
  const { child, build, ended } = interruptible(t, 'deaf')
  const { pid } = await build()
  const over = ended.then(() => true)
  // The same key press may come twice, through npx, so what comes at once counts as one.
  const again = setInterval(() => child.kill('SIGINT'), 300)
  assert.ok(await over)
  clearInterval(again)
  assert.ok([child.exitCode, child.signalCode].includes(130), `${child.exitCode}`)
  while (runs(pid)) await delay(20)
})
