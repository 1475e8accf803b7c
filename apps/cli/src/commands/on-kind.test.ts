import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { type StandInAnswer, standIns } from '@bulkhead/kind-cluster/testing'
import { eventually, plainFolder, type Scope } from '@bulkhead/testing'
import { repository } from '../golden.js'
import { runCli } from '../testing.js'

describe('without a cluster', () => {
  for (const args of [
    ['attack'],
    ['verify'],
    ['layer'],
    ['layer', 'off', '50-identity'],
    ['explain', 'shop/sleep', 'shop/web-api:8080'],
    ['flows'],
  ]) {
    test(`${args.join(' ')} --on kind says how to make one, and leaves nothing`, async (t) => {
      const state = plainFolder(t)
      const { code, stdout, stderr } = await runCli([...args, '--on', 'kind', '--state', state], { cwd: repository })
      assert.equal(code, 2)
      assert.equal(stdout, '')
      assert.ok(
        stderr.startsWith(`bulkhead: no cluster is up here; npx bulkhead cluster up --state ${state} makes one`),
      )
      assert.equal(existsSync(path.join(state, 'kind')), false)
    })
  }
})

test('status --on kind names the command that says it, and is in no help', async () => {
  const { code, stdout, stderr } = await runCli(['status', '--on', 'kind'], { cwd: repository })
  assert.deepEqual([code, stdout], [2, ''])
  assert.equal(stderr, 'bulkhead: what is up on the cluster is said by `npx bulkhead cluster status`.\n')
  assert.doesNotMatch((await runCli(['status', '--help'])).stdout, /--on/)
})

test('files and a cluster cannot be asked at once', async (t) => {
  for (const more of [['--offline'], ['--manifests', 'k8s']]) {
    const args = ['explain', 'shop/sleep', 'shop/web-api:8080', '--on', 'kind', '--state', plainFolder(t), ...more]
    const { code, stderr } = await runCli(args, { cwd: repository })
    assert.equal(code, 2)
    assert.match(stderr, /--on kind asks about the cluster, and --offline and --manifests about files/)
  }
})

const pod = (namespace: string, name: string) => ({
  metadata: { namespace, name, labels: {} },
  spec: { nodeName: 'bulkhead-worker' },
  status: { phase: 'Running', podIPs: [] },
})
const list = (...items: readonly object[]): string => JSON.stringify({ items })
const refused =
  '2026-11-21T10:00:01.000000Z\terror\taccess\tconnection complete\tsrc.addr=10.244.1.6:4000 src.workload="notsleep-7d" src.namespace="shop" dst.addr=10.244.2.9:15008 dst.hbone_addr=10.244.2.9:8080 direction="inbound" bytes_sent=0 bytes_recv=0 duration="0ms" error="connection closed due to policy rejection: allow policies exist, but none allowed"\n'
const dropped = `${JSON.stringify({
  flow: {
    time: '2026-11-21T10:00:00.500Z',
    verdict: 'DROPPED',
    drop_reason_desc: 'POLICY_DENY',
    egress_denied_by: [{ kind: 'CiliumNetworkPolicy', namespace: 'shop', name: 'no-metadata' }],
    event_type: { type: 5 },
    IP: { source: '10.244.1.6', destination: '169.254.169.254' },
    l4: { TCP: { destination_port: 80 } },
  },
})}\n`

const record = { uid: 'the-uid', begun: 'then', networkWasThere: true, steps: {}, untold: [] }
const ours: readonly StandInAnswer[] = [
  { args: 'config view', stdout: 'https://127.0.0.1:40123' },
  { args: 'get namespace kube-system', stdout: 'the-uid' },
]

describe('flows --on kind', () => {
  const answers: readonly StandInAnswer[] = [
    ...ours,
    { args: 'get pods -n istio-system', stdout: list(pod('istio-system', 'ztunnel-a')) },
    { args: 'get pods -n kube-system', stdout: list(pod('kube-system', 'cilium-a')) },
    { args: 'get pods -A', stdout: list() },
    { args: 'logs -n istio-system ztunnel-a', stdout: refused },
    { args: 'exec -n kube-system cilium-a', stdout: dropped },
  ]
  const flows = async (t: Scope, ...args: readonly string[]) => flowsOf(t, answers, ...args)
  const flowsOf = async (t: Scope, table: readonly StandInAnswer[], ...args: readonly string[]) => {
    const state = plainFolder(t)
    mkdirSync(path.join(state, 'kind'), { recursive: true })
    writeFileSync(path.join(state, 'kind/kubeconfig'), '')
    writeFileSync(path.join(state, 'kind/cluster.json'), JSON.stringify(record))
    const tools = standIns(state, { kubectl: table })
    const env = { PATH: tools.path }
    const ran = await runCli(['flows', '--on', 'kind', '--state', state, ...args], { cwd: repository, env })
    return { ...ran, asked: tools.asked(), state }
  }

  test("prints what the cluster's points said, in order of time, a line each", async (t) => {
    const { code, stdout, stderr, asked, state } = await flows(t)
    assert.equal(code, 0, stderr)
    assert.equal(
      stdout,
      [
        '2026-11-21T10:00:00.500Z deny by=hubble src.addr=10.244.1.6 dst.addr=169.254.169.254:80 code=cni.rule-denies policy=CiliumNetworkPolicy/shop/no-metadata\n',
        '2026-11-21T10:00:01.000Z deny by=ztunnel src.addr=10.244.1.6 src.workload=shop/notsleep-7d dst.addr=10.244.2.9:8080 code=authz.no-rule-allows\n',
      ].join(''),
    )
    for (const { args } of asked) {
      assert.deepEqual(args.slice(0, 4), [
        '--kubeconfig',
        path.join(state, 'kind/kubeconfig'),
        '--context',
        'kind-bulkhead',
      ])
    }
  })

  test('nobody is asked where the file is another one than ours by now', async (t) => {
    for (const [at, other] of [
      ['config view', 'https://api.production.example'],
      ['get namespace kube-system', 'another'],
    ] as const) {
      const table = answers.map((one) => (one.args === at ? { ...one, stdout: other } : one))
      const { code, stderr, asked } = await flowsOf(t, table)
      assert.equal(code, 2)
      assert.match(stderr, /Nothing was changed/)
      assert.ok(!asked.some(({ args }) => args.some((word) => ['logs', 'exec', 'pods'].includes(word))))
    }
  })

  test('what a log cannot be read for is shown, and not obeyed by a terminal', async (t) => {
    const lost = { args: 'exec -n kube-system cilium-a', code: 1, stderr: 'no\u001b[2Jhubble\n' }
    const { stderr } = await flowsOf(t, [lost, ...answers])
    assert.match(stderr, /no\\u001b\[2Jhubble/)
  })

  test('--tail and --json are what they are on the local target', async (t) => {
    const { stdout } = await flows(t, '--tail', '1', '--json')
    const [line = '', rest] = stdout.split('\n')
    assert.equal(rest, '')
    const { by, line: raw } = JSON.parse(line) as { by: string; line: string }
    assert.deepEqual([by, `${raw}\n`], ['ztunnel', refused])
  })
})

/** Ctrl-C while a command waits for an answer of kubectl. */
async function interrupted(t: Scope, command: string, hanging: string) {
  const state = plainFolder(t)
  mkdirSync(path.join(state, 'kind'), { recursive: true })
  writeFileSync(path.join(state, 'kind/kubeconfig'), '')
  writeFileSync(path.join(state, 'kind/cluster.json'), JSON.stringify(record))
  const answers = [{ args: 'api-resources', stdout: 'pods\nsecrets\n' }, { args: 'get pods' }, ...ours]
  const tools = standIns(state, { kubectl: [{ args: hanging, hangs: 'hears' }, ...answers] })
  const stop = new AbortController()
  const env = { PATH: tools.path }
  const ran = runCli([command, '--on', 'kind', '--state', state], { cwd: repository, env, signal: stop.signal })
  const asks = () => tools.asked().find(({ args }) => args.join(' ').includes(hanging))
  await eventually(`kubectl ${hanging}`, asks).finally(() => stop.abort('SIGINT'))
  const { code, stderr } = await ran
  assert.throws(() => process.kill(asks()?.pid ?? 0, 0), { code: 'ESRCH' })
  return { code, stderr }
}

test('Ctrl-C ends what only reads, at the first question as at the last', async (t) => {
  for (const hanging of ['get namespace kube-system', 'api-resources', 'get secrets']) {
    const { code, stderr } = await interrupted(t, 'layer', hanging)
    assert.deepEqual([code, stderr], [130, 'bulkhead: interrupted.\n'], hanging)
  }
})

for (const command of ['verify', 'attack'])
  test(`Ctrl-C during ${command} says what it waits for, and what happens without waiting`, async (t) => {
    const { code, stderr } = await interrupted(t, command, 'api-resources')
    assert.equal(code, 130)
    assert.match(stderr, /^stopping: what a scenario has changed is taken back first, .*Ctrl-C again does not wait; /)
    assert.match(stderr, /\nbulkhead: interrupted\.\n$/)
    assert.equal(stderr.match(/stopping/g)?.length, 1)
  })

for (const args of [['verify'], ['attack'], ['peel', '--run', 'notsleep-to-web-api']])
  test(`${args[0]} tries nothing while somebody else is at the cluster, and says who`, async (t) => {
    const state = plainFolder(t)
    mkdirSync(path.join(state, 'kind'), { recursive: true })
    writeFileSync(path.join(state, 'kind/kubeconfig'), '')
    writeFileSync(path.join(state, 'kind/cluster.json'), JSON.stringify(record))
    const lock = path.join(state, 'kind/lock')
    writeFileSync(lock, String(process.pid))
    const tools = standIns(state, { kubectl: ours })
    const env = { PATH: tools.path }
    const { code, stdout, stderr } = await runCli([...args, '--on', 'kind', '--state', state], { cwd: repository, env })
    assert.deepEqual([code, stdout, tools.asked()], [2, '', []])
    assert.ok(stderr.startsWith(`bulkhead: process ${process.pid} is at it already: `), stderr)
    assert.ok(existsSync(lock))
  })

describe('a report', () => {
  for (const [args, says] of [
    [['--output', 'no/such/x.xml'], /there is no folder "no\/such" to write a report to/],
    [['--output', 'k8s.foo'], /which form "k8s\.foo" is to have its ending does not say; write --format text, or json/],
    [['--output', 'x.xml', '--format', 'html'], /"x\.xml" ends as a report in the form junit, and --format says html/],
    [['--json', '--format', 'html'], /--json and --format html are two forms for one report/],
    [['--output', '.github/../k8s', '--format', 'text'], /"k8s" is a folder; a report is a file/],
    [['--format', 'pdf'], /--format.*invalid: Allowed choices are text, json, junit, html/],
  ] as const) {
    test(`that cannot be written is refused before anything is run: ${args.join(' ')}`, async (t) => {
      const { code, stderr } = await runCli(['verify', '--state', plainFolder(t), ...args], { cwd: repository })
      assert.equal(code, 2)
      assert.match(stderr, says)
    })
  }
})
