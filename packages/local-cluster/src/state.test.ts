import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cleanUp, eventually, killed, temporaryFolder } from '@bulkhead/testing'
import { killLeftovers, ProcessList, processStamp } from './processes.js'
import { makeRunDir } from './run-dir.js'
import { claim, forget, readControl } from './state.js'

const sleeper = (): ChildProcess =>
  spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' })

test('one process holds a state folder; another is told who does', (t) => {
  const stateDir = temporaryFolder(t)
  const held = claim(stateDir)
  assert.equal(statSync(join(stateDir, 'control.json')).mode & 0o777, 0o600)
  assert.equal(statSync(held.runDir).mode & 0o777, 0o700)
  assert.throws(() => claim(stateDir), {
    code: 'already-up',
    message: new RegExp(`process ${process.pid}; it is still starting.*\`npx bulkhead down --state "${stateDir}"\``),
  })
  held.publish({ url: 'http://127.0.0.1:1', token: 't', generation: 3 })
  assert.throws(() => claim(stateDir), { code: 'already-up', message: /it answers at http:\/\/127\.0\.0\.1:1/ })
  assert.equal(readControl(stateDir)?.control.generation, 3)
  assert.equal(readControl(stateDir)?.stale, false)
  held.release()
  assert.equal(existsSync(held.runDir), false)
  assert.equal(readControl(stateDir), undefined)
  claim(stateDir).release()
})

test('the file of a process that is gone, or of another with its number, is taken over with what it left', async (t) => {
  const stateDir = temporaryFolder(t)
  const child = sleeper()
  const { pid } = child
  assert.ok(pid !== undefined)
  cleanUp(t, () => killed(child))
  const list = new ProcessList(join(stateDir, 'processes.json'))
  list.add(pid)
  // Its owner lives, so that only who takes the state over removes it.
  const runDir = makeRunDir({ pid: process.pid, stamp: processStamp(process.pid) ?? '' })
  // This very process's number with another start: a number that was given again.
  writeFileSync(
    join(stateDir, 'control.json'),
    JSON.stringify({ pid: process.pid, stamp: 'another', generation: 1, started: '', runDir }),
  )
  assert.equal(readControl(stateDir)?.stale, true)
  const exited = once(child, 'exit')
  const held = claim(stateDir)
  cleanUp(t, () => held.release())
  assert.equal(held.leftovers, 1)
  assert.deepEqual(await exited, [null, 'SIGKILL'])
  assert.equal(existsSync(runDir), false)
  assert.equal(readControl(stateDir)?.stale, false)
})

test('a damaged control file does not stop a start, and never removes what it names', (t) => {
  const stateDir = temporaryFolder(t)
  const innocent = temporaryFolder(t)
  for (const text of [
    '',
    '{',
    JSON.stringify({ pid: 1, stamp: 'x', runDir: innocent }),
    JSON.stringify({ pid: 'x' }),
  ]) {
    writeFileSync(join(stateDir, 'control.json'), text)
    claim(stateDir).release()
    assert.ok(existsSync(innocent))
  }
})

test('a folder that cannot be written is one sentence', (t) => {
  const stateDir = join(temporaryFolder(t), 'closed')
  mkdirSync(stateDir)
  chmodSync(stateDir, 0o500)
  // root may write everywhere, so it is somebody else for a moment.
  const root = process.getuid?.() === 0
  if (root) process.seteuid?.(65534)
  try {
    assert.throws(() => claim(stateDir), {
      code: 'state-dir',
      message: /cannot be (written|used) \(EACCES\).*--state DIR/,
    })
  } finally {
    if (root) process.seteuid?.(0)
  }
})

test('--fresh forgets what earlier runs left, and only that', (t) => {
  const stateDir = temporaryFolder(t)
  for (const name of ['pods', 'logs', 'overlay', 'mine']) {
    mkdirSync(join(stateDir, name))
    writeFileSync(join(stateDir, name, 'file'), '')
  }
  forget(stateDir)
  assert.deepEqual(readdirSync(stateDir), ['mine'])
})

test('a file in the place of the folder is one sentence, and so is a folder that holds other things', (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'file')
  writeFileSync(file, '')
  for (const stateDir of [file, join(file, 'sub')])
    assert.throws(() => claim(stateDir), { code: 'state-dir', message: /cannot be made \(E\w+\): there is a file/ })
  assert.throws(() => claim(folder), { code: 'state-dir', message: /holds other things \("file"\)/ })
  assert.deepEqual(readdirSync(folder), ['file'])
})

test('what a cluster and a bundle keep in the folder is in no way, and stays', (t) => {
  const stateDir = temporaryFolder(t)
  const kept = ['bulkhead-bundle.tar', 'bulkhead-bundle.tar.parts', 'bulkhead-bundle.tar.sha256', 'kind', 'npm-cache']
  for (const name of kept) mkdirSync(join(stateDir, name))
  claim(stateDir).release()
  forget(stateDir)
  assert.deepEqual(readdirSync(stateDir).toSorted(), kept)
})

test('a process that ends without a stop takes its sockets, its pods and its file along', async (t) => {
  const stateDir = temporaryFolder(t)
  const pods = join(stateDir, 'pods', 'shop')
  const module = new URL('./state.js', import.meta.url).href
  const script = `
    const { claim } = await import(${JSON.stringify(module)})
    const { ProcessList } = await import(new URL('./processes.js', ${JSON.stringify(module)}))
    const { spawn } = await import('node:child_process')
    const { mkdirSync } = await import('node:fs')
    const held = claim(${JSON.stringify(stateDir)})
    mkdirSync(${JSON.stringify(pods)}, { recursive: true })
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' })
    new ProcessList(held.processesFile).add(child.pid)
    console.log(JSON.stringify([held.runDir, child.pid]))
    process.exit(130)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  assert.deepEqual(await once(child, 'close'), [130, null])
  const [runDir, pid] = JSON.parse(said) as [string, number]
  await eventually('its process is gone', () => processStamp(pid) === undefined)
  assert.deepEqual([existsSync(runDir), readdirSync(stateDir)], [false, []])
})

test('only processes with the recorded start are ended', async (t) => {
  const file = join(temporaryFolder(t), 'processes.json')
  const child = sleeper()
  cleanUp(t, () => killed(child))
  const stamp = processStamp(child.pid ?? 0)
  assert.ok(stamp !== undefined)
  assert.equal(processStamp(child.pid ?? 0), stamp)
  writeFileSync(file, JSON.stringify([{ pid: child.pid, stamp: 'another' }, { pid: -1, stamp }, null, { pid: 1 }]))
  assert.equal(killLeftovers(file), 0)
  assert.equal(child.exitCode, null)
  writeFileSync(file, JSON.stringify([{ pid: child.pid, stamp }]))
  assert.equal(killLeftovers(file), 1)
  await eventually('it is gone', () => processStamp(child.pid ?? 0) === undefined)
  assert.equal(killLeftovers(file), 0)
  assert.throws(() => readFileSync(file))
})
