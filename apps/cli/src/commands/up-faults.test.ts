import assert from 'node:assert/strict'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { cleanUp, eventually, killed, temporaryFolder } from '@bulkhead/testing'
import type { UpReport } from '../target/messages.js'
import { bulkhead, collect, isAlive, pidsOf, root, start, theShop } from '../target/testing.js'

test('in the foreground Ctrl-C ends everything and leaves nothing behind', async (t: TestContext) => {
  const stateDir = temporaryFolder(t)
  const child = start([
    'up',
    '--foreground',
    ...theShop,
    '--state',
    stateDir,
    '--port',
    '0',
    '--layers',
    '50',
    '--json',
  ])
  cleanUp(t, () => killed(child))
  let out = ''
  child.stdout?.on('data', (chunk) => {
    out += chunk
  })
  const ended = collect(child)
  await eventually('it is up', () => out.endsWith('}\n'))
  const report = JSON.parse(out) as UpReport
  assert.deepEqual(
    report.status.layers.map(({ name, on }) => [name, on]),
    [
      ['40-mtls', false],
      ['50-identity', true],
      ['70-ingress', false],
    ],
  )
  const runDir = (JSON.parse(readFileSync(path.join(stateDir, 'control.json'), 'utf8')) as { runDir: string }).runDir
  child.kill('SIGINT')
  const { code, stderr } = await ended
  assert.equal(code, 0, stderr)
  assert.match(stderr, /all is down\.\n$/)
  assert.ok(pidsOf(report).every((pid) => !isAlive(pid)))
  assert.deepEqual([existsSync(runDir), existsSync(path.join(stateDir, 'control.json'))], [false, false])
})

test('in the foreground each save is told: what it opens and closes, or why it is refused', async (t) => {
  const folder = temporaryFolder(t)
  cpSync(path.join(root, 'k8s'), path.join(folder, 'k8s'), { recursive: true })
  const args = [...theShop, '--state', 'state', '--port', '0', '--layers', '50']
  const child = start(['up', '--foreground', ...args], folder)
  cleanUp(t, () => killed(child))
  let err = ''
  child.stderr?.on('data', (chunk) => {
    err += chunk
  })
  const ended = collect(child)
  await eventually('it is up', () => /^Ctrl-C ends it/m.test(err))
  assert.equal(err.match(/pods are ready/g), null, 'that is for the result to say')
  const file = path.join(folder, 'k8s/layers/50-identity/shop/web-api-rbac.yaml')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace('rules:', 'rulez:'))
  const at = /^\d\d:\d\d:\d\d {2}/m.source
  const shown = 'k8s/layers/50-identity/shop/web-api-rbac\\.yaml'
  const refused = new RegExp(`${at}refused, nothing changed: ${shown}\n  ${shown}:\\d+:3: .*"rulez"`, 'm')
  await eventually('it is refused', () => refused.test(err))
  writeFileSync(file, text.replace('sa/sleep', 'sa/notsleep'))
  const told = new RegExp(
    `${at}in force after \\d+ ms: ${shown}\n(  .*\n)*  \\+ +shop/notsleep → .*\n.*\\(${shown}:\\d+\\)\n(  .*\n)*  - +shop/sleep → `,
    'm',
  )
  await eventually('it is told', () => told.test(err))
  child.kill('SIGINT')
  const { code, stdout } = await ended
  assert.deepEqual([code, /^8 of 8 pods|^7 of 7 pods/.test(stdout)], [0, true], stdout)
})

test('bad input is one sentence, exit 2, and nothing is started', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  cleanUp(t, () => taken.close())
  const { port } = taken.address() as { port: number }
  const broken = temporaryFolder(t)
  cpSync(path.join(root, 'k8s'), path.join(broken, 'k8s'), { recursive: true })
  const file = path.join(broken, 'k8s/workloads/shop/sleep.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replace('serviceAccountName:', 'serviceAcountName:'))
  mkdirSync(path.join(broken, 'taken'))
  writeFileSync(path.join(broken, 'file'), '')
  const tries: readonly [readonly string[], RegExp][] = [
    [
      ['--port', String(port)],
      new RegExp(
        `^bulkhead: port ${port} on 127\\.0\\.0\\.1 is in use by another program\\. Name another with --port N`,
        'm',
      ),
    ],
    [['--port', '70000'], /--port.*70000.*0 to 65535/],
    [
      ['--port', '0', '--layers', '50,99'],
      /^bulkhead: there is no layer "99"; there are 10-admission, 20-network, 30-cilium, 40-mtls, 50-identity, 60-requests, 70-ingress\./m,
    ],
    [['--port', '0', '--manifests', path.join(broken, 'k8s')], /sleep\.yaml:\d+:\d+: .*serviceAcountName/],
    [['--port', '0', '--manifests', path.join(broken, 'nope')], /there is no folder/],
  ]
  for (const [args, message] of tries) {
    const state = path.join(broken, 'state')
    const { code, stdout, stderr } = await bulkhead('up', '--state', state, ...args)
    assert.deepEqual([code, stdout], [2, ''], stderr)
    assert.match(stderr, message)
    assert.doesNotMatch(stderr, /\n {4}at /)
    assert.ok(!existsSync(path.join(state, 'control.json')), args.join(' '))
    assert.deepEqual(existsSync(path.join(state, 'pods')) ? readdirSync(path.join(state, 'pods')) : [], [])
  }
  const noFolder = await bulkhead('up', '--state', path.join(broken, 'file'), '--port', '0')
  assert.equal(noFolder.code, 2)
  assert.match(noFolder.stderr, /^bulkhead: the state folder ".*file" cannot be made \(E\w+\): .*--state DIR\.\n$/)
})

/** A start in the foreground or in the background, and what it says on stderr. */
function starting(t: TestContext, ...args: readonly string[]) {
  const stateDir = temporaryFolder(t)
  const child = start(['up', ...theShop, '--state', stateDir, '--port', '0', ...args])
  cleanUp(t, async () => {
    await killed(child)
    await bulkhead('down', '--state', stateDir)
  })
  let said = ''
  child.stderr?.on('data', (chunk) => {
    said += chunk
  })
  const control = () =>
    JSON.parse(readFileSync(path.join(stateDir, 'control.json'), 'utf8')) as { pid: number; runDir: string }
  const processes = () =>
    (JSON.parse(readFileSync(path.join(stateDir, 'processes.json'), 'utf8')) as { pid: number }[]).map(({ pid }) => pid)
  const says = (text: string) => eventually(text, () => said.includes(text))
  return { stateDir, child, ended: collect(child), says, control, processes }
}

for (const [where, args] of [
  ['foreground', ['--foreground']],
  ['background', []],
] as const) {
  test(`Ctrl-C during a start in the ${where} ends what there is, and is no success`, async (t) => {
    const { stateDir, child, ended, says, control } = starting(t, ...args)
    await says('pods to start')
    const { pid, runDir } = control()
    child.kill('SIGINT')
    const { code, stdout, stderr } = await ended
    assert.deepEqual([code, stdout], [130, ''], stderr)
    await eventually('the supervisor is gone', () => !isAlive(pid))
    const left = ['control.json', 'processes.json', 'pods'].filter((name) => existsSync(path.join(stateDir, name)))
    assert.deepEqual([existsSync(runDir), left], [false, []])
  })
}

test('a second Ctrl-C waits for nothing, and leaves nothing behind either', async (t) => {
  const { stateDir, child, ended, says, control, processes } = starting(t, '--foreground')
  await says('Ctrl-C ends it')
  const { runDir } = control()
  const pids = processes()
  assert.equal(pids.length, 7)
  // One that does not end by itself, so that there is something to wait for.
  process.kill(pids[0] ?? 0, 'SIGSTOP')
  child.kill('SIGINT')
  await says('ending: ')
  await new Promise((resolve) => setTimeout(resolve, 300)) // Longer than one key press is taken to last.
  child.kill('SIGINT')
  assert.equal((await ended).code, 130)
  await eventually('every process is gone', () => pids.every((pid) => !isAlive(pid)))
  assert.deepEqual([existsSync(runDir), existsSync(path.join(stateDir, 'control.json'))], [false, false])
})

test('a terminal that is closed ends a supervisor in the foreground as Ctrl-C does', async (t) => {
  const { child, says, control, processes } = starting(t, '--foreground')
  await says('Ctrl-C ends it')
  const { runDir } = control()
  const pids = processes()
  const exited = once(child, 'exit')
  // The signal comes, and what is said about it cannot be written.
  child.stdout?.destroy()
  child.stderr?.destroy()
  child.kill('SIGHUP')
  assert.deepEqual(await exited, [0, null])
  assert.ok(pids.every((pid) => !isAlive(pid)))
  assert.equal(existsSync(runDir), false)
})

test('a folder with other things in it is not taken for a state folder', async (t) => {
  const stateDir = temporaryFolder(t)
  mkdirSync(path.join(stateDir, 'pods'))
  writeFileSync(path.join(stateDir, 'pods', 'mine'), '')
  writeFileSync(path.join(stateDir, 'thesis.txt'), '')
  const { code, stderr } = await bulkhead('up', '--state', stateDir, '--port', '0', '--fresh')
  assert.equal(code, 2)
  assert.match(stderr, /^bulkhead: ".*" cannot be the state folder: it holds other things \("thesis\.txt"\)\. /)
  assert.deepEqual(readdirSync(stateDir), ['pods', 'thesis.txt'])
})
