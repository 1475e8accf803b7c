import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { wholeSuite } from '@bulkhead/testing'
import { withGrant } from './env.js'
import { makeWorld, type World } from './testing.js'

const suite = wholeSuite()
let world: World
before(async () => {
  world = await makeWorld(suite)
})

async function output(code: string, options = {}): Promise<string[]> {
  const ended = await world.run('shop/client', code, options)
  assert.equal(ended.stderr, '')
  assert.equal(ended.code, 0)
  return ended.stdout.trim().split('\n')
}

test('children of every kind, and theirs, are the same pod; also with an environment of their own', async () => {
  const seen = await output(
    `
    import { execFileSync, execSync, fork, spawn, spawnSync } from 'node:child_process'
    import { writeFileSync } from 'node:fs'
    const host = 'process.stdout.write(require("os").hostname() + " ")'
    const nested = 'require("child_process").spawnSync(process.execPath, ["-e", ' + JSON.stringify(host) + '], { stdio: "inherit", env: {} })'
    const node = process.execPath
    const out = []
    out.push(String(spawnSync(node, ['-e', host]).stdout))
    out.push(String(spawnSync(node, ['-e', host], { env: {} }).stdout))
    out.push(String(execFileSync(node, ['-e', host], { env: { NODE_OPTIONS: '--no-warnings' } })))
    out.push(String(execSync(JSON.stringify(node) + " -e 'process.stdout.write(require(\\"os\\").hostname() + String(process.env.MINE))'", { env: { MINE: '1' } })))
    out.push(String(spawnSync(node, ['-e', nested]).stdout))
    for (const options of [{}, { env: {} }, { shell: true }]) {
      const child = options.shell ? spawn(JSON.stringify(node) + " -e '" + host + "'", { shell: true }) : spawn(node, ['-e', host], options)
      let text = ''
      for await (const chunk of child.stdout) text += chunk
      out.push(text)
    }
    const file = process.env.FILE
    writeFileSync(file, 'process.send(require("os").hostname())')
    for (const options of [{}, { env: {} }, { execArgv: [] }]) out.push(await new Promise((r) => fork(file, options).once('message', r)))
    console.log(JSON.stringify(out.map((s) => s.trim())))`,
    { env: { FILE: join(world.runDir, 'forked.cjs') } },
  )
  const pod = 'client-7d9'
  assert.deepEqual(JSON.parse(seen[0] ?? ''), [pod, pod, pod, `${pod}1`, pod, pod, pod, pod, pod, pod, pod])
})

test('workers from a file, a string and with an environment of their own', async () => {
  const file = join(world.runDir, 'worker.cjs')
  const ask = `const get = process.getBuiltinModule; get('net').connect(1, 'nowhere.test').on('error', (e) => get('worker_threads').parentPort.postMessage(get('os').hostname() + ' ' + e.code))`
  writeFileSync(file, ask)
  const seen = await output(`
    import { Worker } from 'node:worker_threads'
    const go = (...args) => new Promise((resolve, reject) => new Worker(...args).on('message', resolve).on('error', reject))
    console.log(JSON.stringify([
      await go(${JSON.stringify(file)}), await go(${JSON.stringify(ask)}, { eval: true }), await go(${JSON.stringify(file)}, { env: {} }), await go(${JSON.stringify(file)}, { execArgv: [] }),
    ]))`)
  assert.deepEqual(JSON.parse(seen[0] ?? ''), Array(4).fill('client-7d9 ENOTFOUND'))
  assert.equal(world.asked.length, 4)
})

test("NODE_OPTIONS of one's own are kept, and paths may have spaces", async () => {
  const folder = join(world.runDir, 'a "quoted" \\ folder')
  mkdirSync(folder)
  const preload = join(folder, 'own.cjs')
  writeFileSync(preload, 'globalThis.own = true')
  const option = `--require "${preload.replace(/["\\]/g, '\\$&')}"`
  const code = `console.log(globalThis.own, (await import('node:os')).hostname())`
  assert.deepEqual(await output(code, { env: { NODE_OPTIONS: option } }), ['true client-7d9'])
  assert.equal(
    withGrant({ NODE_OPTIONS: '--a', X: undefined, Y: '1' }, { NODE_OPTIONS: '--b', Z: '2' }).NODE_OPTIONS,
    '--b --a',
  )
  assert.deepEqual(withGrant({ X: undefined, Y: '1' }, { Z: '2' }), { Y: '1', Z: '2' })
})

test('a program asked to run as a pod does not run without its capture', async () => {
  for (const broken of ['', '{', 'null']) {
    const { code, stdout, stderr } = await world.run('shop/client', '', {
      command: ['/bin/sh', '-c', `BULKHEAD_CAPTURE='${broken}' "$0" -e 'console.log(1)'`, process.execPath],
    })
    assert.equal(stdout, '')
    assert.notEqual(code, 0)
    assert.match(stderr, /invalid env var BULKHEAD_CAPTURE \(.*does not start without its capture/)
  }
  // The control: with it, it runs.
  assert.deepEqual(await output(`console.log(1)`), ['1'])
})
