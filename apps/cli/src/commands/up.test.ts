import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { UpReport } from '../target/messages.js'

const bin = fileURLToPath(new URL('../../bin/bulkhead.js', import.meta.url))
const root = fileURLToPath(new URL('../../../..', import.meta.url))
/** The machine's own curl; without it what `exec` does is tried with Node alone, which the last test of exec says. */
const curl = spawnSync('curl', ['--version']).status === 0

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function collect(child: ChildProcess): Promise<Ran> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

const start = (args: readonly string[], cwd = root): ChildProcess =>
  spawn(process.execPath, [bin, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
const bulkhead = (...args: readonly string[]): Promise<Ran> => collect(start(args))

function folder(): string {
  return mkdtempSync(path.join(tmpdir(), 'bulkhead-up-'))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  // A zombie that nobody reaps, as in a container without an init, is dead all the same.
  const stat = `/proc/${pid}/stat`
  return !existsSync(stat) || !/\) [ZX] /.test(readFileSync(stat, 'utf8'))
}

async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 5000; !(await holds()); ) {
    assert.ok(Date.now() < deadline, `not within 5 s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const pidsOf = (report: Pick<UpReport, 'status'>): number[] =>
  report.status.workloads.flatMap(({ pods }) =>
    pods.flatMap(({ containers }) => containers.flatMap(({ pid }) => pid ?? [])),
  )

describe('a target in the background', () => {
  const stateDir = folder()
  const state = ['--state', stateDir]
  let report: UpReport

  before(async () => {
    const { code, stdout, stderr } = await bulkhead('up', ...state, '--port', '0', '--json')
    assert.equal(code, 0, stderr)
    report = JSON.parse(stdout) as UpReport
  })
  after(async () => {
    await bulkhead('down', ...state)
    rmSync(stateDir, { recursive: true, force: true })
  })

  test('all of the shop is ready, on two nodes, out of the mesh only who asked to be', async () => {
    const pods = report.status.workloads.flatMap((workload) => workload.pods)
    assert.deepEqual([report.notReady, pods.length, new Set(pods.map(({ node }) => node)).size], [[], 7, 2])
    assert.deepEqual(
      pods.filter(({ mesh }) => !mesh).map(({ pod }) => pod.replace(/-[^-]+-[^-]+$/, '')),
      ['shop/outsider'],
    )
    const { code, stdout } = await bulkhead('status', ...state)
    assert.equal(code, 0)
    assert.match(
      stdout,
      /shop\/web-api +bulkhead-worker2? +10\.244\.\d+\.\d+ +yes +spiffe:\/\/cluster\.local\/ns\/shop\/sa\/web-api\n/,
    )
    assert.match(stdout, /layers +40-mtls on, 50-identity on/)
  })

  test('a second up on the same folder says who is up, and changes nothing', async () => {
    const { code, stdout, stderr } = await bulkhead('up', ...state, '--port', '0')
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(
      stderr,
      new RegExp(
        `^bulkhead: a target is already up on .* \\(process ${report.status.pid}; it answers at ${report.url}\\)\\. .*\\n$`,
      ),
    )
    assert.equal((await bulkhead('status', ...state)).code, 0)
  })

  const call =
    'fetch("http://web-api:8080/").then(async (r) => console.log(r.status, (await r.json()).name), (e) => { console.log(e.cause.code); process.exitCode = 7 })'

  test('exec runs a program as a workload, and ends with its exit code', async () => {
    const allowed = await bulkhead('exec', ...state, 'shop/sleep', '--', process.execPath, '-e', call)
    assert.deepEqual(allowed, { code: 0, stdout: '200 web-api\n', stderr: '' })
    const denied = await bulkhead('exec', ...state, 'shop/notsleep', '--', process.execPath, '-e', call)
    assert.deepEqual([denied.code, denied.stdout], [7, 'ECONNRESET\n'])
    assert.match(
      denied.stderr,
      /^bulkhead: shop\/notsleep -> shop\/web-api:8080 failed\. On a cluster its client sees .*\(curl 52 or 56\)\.\n {2}layer 50-identity: .*\n/,
    )
    assert.match(
      denied.stderr,
      /AuthorizationPolicy\/shop\/web-api-rbac at k8s\/layers\/50-identity\/shop\/web-api-rbac\.yaml:\d+\n/,
    )
    const nowhere = await bulkhead('exec', ...state, 'shop/nobody', '--', 'true')
    assert.equal(nowhere.code, 2)
    assert.match(nowhere.stderr, /there is no workload "shop\/nobody"; there are shop\/intruder, /)
    assert.equal((await bulkhead('exec', ...state, 'shop/sleep', '--', 'no-such-program')).code, 127)
  })

  test(`exec with ${curl ? 'the machine’s curl' : 'Node in place of curl, which is not on this machine'}`, async () => {
    const get = curl
      ? ['curl', '-sS', 'http://web-api:8080/']
      : [
          process.execPath,
          '-e',
          'fetch("http://web-api:8080/").then(async (r) => console.log(await r.text()), () => process.exit(56))',
        ]
    const allowed = await bulkhead('exec', ...state, 'shop/sleep', '--', ...get)
    assert.deepEqual([allowed.code, allowed.stderr], [0, ''])
    assert.equal(
      (JSON.parse(allowed.stdout) as { upstream_calls: { upstream_calls: { name: string }[] }[] }).upstream_calls[0]
        ?.upstream_calls[0]?.name,
      'purchase-history-v1',
    )
    const denied = await bulkhead('exec', ...state, 'shop/notsleep', '--', ...get)
    assert.ok([52, 56].includes(denied.code ?? 0), String(denied.code))
    assert.equal(denied.stdout, '')
  })

  test('layer off lets through what that wall stopped, and layer on stops it again', async () => {
    const get = () => bulkhead('exec', ...state, 'shop/notsleep', '--', process.execPath, '-e', call)
    const off = await bulkhead('layer', 'off', '50-identity', ...state)
    assert.equal(off.code, 0)
    assert.match(
      off.stdout,
      /^50-identity is down: its 4 objects are not enforced until `bulkhead layer on 50-identity`\.\n/,
    )
    assert.equal((await get()).stdout, '200 web-api\n')
    assert.match((await bulkhead('layer', ...state)).stdout, /50-identity +OFF +4/)
    assert.equal((await bulkhead('layer', 'on', 'identity', ...state)).code, 0)
    assert.equal((await get()).stdout, 'ECONNRESET\n')
    const unknown = await bulkhead('layer', 'off', '99-nothing', ...state)
    assert.equal(unknown.code, 2)
    assert.equal(unknown.stderr, 'bulkhead: there is no layer "99-nothing"; there are 40-mtls, 50-identity.\n')
  })

  test('flows are told one a line, as they end too', async () => {
    const following = start(['flows', '-f', '--json', ...state])
    const first = once(following.stdout ?? following, 'data')
    const all = await bulkhead('flows', ...state)
    assert.match(
      all.stdout,
      /^\S+Z allow src\.addr=10\.244\.\d+\.\d+ src\.workload=shop\/sleep src\.identity=spiffe:\S+ dst\.addr=\S+ dst\.service=shop\/web-api .* transport=hbone .*duration=\d+ms flag=- /m,
    )
    assert.match(
      all.stdout,
      / deny .* flag=DENY error="connection closed due to policy rejection: allow policies exist, but none allowed" .*code=authz\.no-rule-allows policy=".*web-api-rbac\.yaml:\d+/,
    )
    await first
    const next = once(following.stdout ?? following, 'data')
    await bulkhead('exec', ...state, 'shop/intruder', '--', process.execPath, '-e', call)
    const [line] = (await next) as [Buffer]
    assert.equal(
      (JSON.parse(String(line).split('\n')[0] ?? '') as { source: { workload: string } }).source.workload,
      'shop/intruder',
    )
    following.kill('SIGINT')
    assert.equal((await once(following, 'exit'))[0], 0)
  })

  test('logs are a workload’s own', async () => {
    const { code, stdout } = await bulkhead('logs', 'shop/web-api', ...state, '--tail', '500')
    assert.equal(code, 0)
    assert.match(stdout, /listening/)
    assert.match(stdout, /--- \S+ web-api: ready/)
    assert.equal((await bulkhead('logs', 'shop/nobody', ...state)).code, 2)
    assert.equal((await bulkhead('logs', 'shop/web-api', ...state, '--tail', 'x')).code, 2)
  })

  test('kill -9 of the supervisor leaves no orphan; the next up just works, and keeps what was switched off', async () => {
    await bulkhead('layer', 'off', '40-mtls', ...state)
    const found = JSON.parse((await bulkhead('status', ...state, '--json')).stdout) as UpReport['status']
    const pids = pidsOf({ status: found })
    assert.equal(pids.length, 7)
    process.kill(report.status.pid, 'SIGKILL')
    await eventually('every process is gone', () => pids.every((pid) => !isAlive(pid)))
    const status = await bulkhead('status', ...state)
    assert.equal(status.code, 2)
    assert.match(status.stderr, new RegExp(`process ${report.status.pid}\\) ended without saying so`))
    const again = await bulkhead('up', ...state, '--port', '0', '--json')
    assert.equal(again.code, 0, again.stderr)
    const second = JSON.parse(again.stdout) as UpReport
    assert.deepEqual(
      second.status.layers.map(({ name, on }) => [name, on]),
      [
        ['40-mtls', false],
        ['50-identity', true],
      ],
    )
    const down = await bulkhead('down', ...state)
    assert.deepEqual([down.code, down.stdout], [0, `it is down (process ${second.status.pid}).\n`])
    assert.ok(
      [...pidsOf(second), second.status.pid].every((pid) => !isAlive(pid)),
      'nothing is left running',
    )
    assert.equal(existsSync(path.join(stateDir, 'control.json')), false)
  })

  test('down with nothing up says so', async () => {
    const { code, stderr } = await bulkhead('down', ...state)
    assert.equal(code, 2)
    assert.match(stderr, /^bulkhead: nothing is up here \(no .*control\.json\)\.\n$/)
    for (const args of [['status'], ['layer'], ['flows'], ['logs', 'shop/sleep'], ['exec', 'shop/sleep', 'true']]) {
      const [name = '', ...rest] = args
      const ran = await bulkhead(name, ...state, ...rest)
      assert.deepEqual([ran.code, /nothing is up here/.test(ran.stderr)], [2, true], args.join(' '))
    }
  })
})

test('in the foreground Ctrl-C ends everything and leaves nothing behind', async (t: TestContext) => {
  const stateDir = folder()
  t.after(() => rmSync(stateDir, { recursive: true, force: true }))
  const child = start(['up', '--foreground', '--state', stateDir, '--port', '0', '--layers', '50', '--json'])
  t.after(() => child.kill('SIGKILL'))
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

test('bad input is one sentence, exit 2, and nothing is started', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.after(() => taken.close())
  const { port } = taken.address() as { port: number }
  const broken = folder()
  t.after(() => rmSync(broken, { recursive: true, force: true }))
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
    [['--port', '0', '--layers', '50,99'], /^bulkhead: there is no layer "99"; there are 40-mtls, 50-identity\./m],
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
  assert.match(noFolder.stderr, /^bulkhead: the state folder ".*file" cannot be written \(E\w+\)\. .*--state DIR\.\n$/)
})
