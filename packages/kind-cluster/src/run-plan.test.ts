import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import type { Place } from './place.js'
import { commandsFor } from './plan/commands.js'
import { command, ownCluster, temporaryPlace, uid } from './plan/testing.js'
import type { Action, Plan, Step } from './plan/types.js'
import { readRecord, writeRecord } from './record.js'
import { type PlanEvent, type RunPlanOptions, runPlan } from './run-plan.js'
import { type Answers, type Matcher, type RecordingTools, recordingTools } from './testing/index.js'

type Table = readonly (readonly [Matcher, Answers])[]

const run = (...args: readonly string[]): Action => ({ kind: 'run', command: command('kubectl', ...args) })
const step = (id: string, actions: readonly Action[], more: Partial<Step> = {}): Step => ({
  ...{ id, part: 'walls', title: `Do ${id}`, why: 'Because.', actions },
  ...more,
})
const making = (place: Place): Step =>
  step('cluster', [{ kind: 'run', command: commandsFor(place).kind(['create', 'cluster'], 1) }])

function prepared(t: TestContext, steps: (place: Place) => readonly Step[], table: Table, there = false) {
  const place = temporaryPlace(t)
  const tools = recordingTools([...table, ...ownCluster(place, { there })])
  const events: PlanEvent[] = []
  const plan: Plan = { steps: [making(place), ...steps(place)] }
  const go = (more: Partial<RunPlanOptions> = {}) =>
    runPlan({ plan, tools, place, resources: [], tell: (event) => events.push(event), pauseMs: 0, ...more })
  const told = (kind: PlanEvent['kind']) =>
    events.flatMap((one) => (one.kind === kind && 'step' in one ? [one.step.id] : []))
  return { place, tools, events, go, told }
}

/** What was asked that changes something. */
const changes = (tools: RecordingTools) =>
  tools.lines().filter((line) => /^(kind (create|delete)|helm (up|un|roll)|kubectl (apply|one|two|three))/.test(line))

test('makes the cluster, takes down which it is, and does the steps in order', async (t) => {
  const steps = () => [step('a', [run('one'), run('two')]), step('b', [run('three')])]
  const { go, tools, place, told } = prepared(t, steps, [[/^kubectl (one|two|three)/, {}]])
  assert.equal((await go()).kind, 'done')
  assert.deepEqual(changes(tools), ['kind create cluster', 'kubectl one', 'kubectl two', 'kubectl three'])
  assert.deepEqual(told('done'), ['cluster', 'a', 'b'])
  const record = readRecord(place)
  assert.deepEqual([record?.uid, record?.container, record?.networkWasThere], [uid, 'c0ffee', false])
  assert.deepEqual(Object.keys(record?.steps ?? {}), ['cluster', 'a', 'b'])
  assert.equal(statSync(place.record).mode & 0o777, 0o600)
  assert.deepEqual(
    tools.astray(place.kubeconfig).filter((line) => !/^kubectl (one|two|three)/.test(line)),
    [],
  )
})

test('it is made sure that the cluster is ours before each step that changes it', async (t) => {
  const steps = () => [step('a', [run('one')]), step('b', [run('two')])]
  const answers = [{ stdout: uid }, { stdout: uid }, { stdout: 'another' }]
  const { go, tools } = prepared(t, steps, [
    [/^kubectl (one|two)/, {}],
    ['kubectl get namespace kube-system', answers],
  ])
  await assert.rejects(go(), { code: 'not-ours', message: /has UID another, and ours has .* Nothing was changed/s })
  assert.deepEqual(changes(tools), ['kind create cluster', 'kubectl one'])
})

test('a cluster of that name that was not made here is not touched', async (t) => {
  const { go, tools } = prepared(t, () => [], [], true)
  await assert.rejects(go(), { code: 'not-ours', message: /was not made here .*kind delete cluster --name bulkhead/s })
  assert.deepEqual(tools.lines(), ['kind get clusters'])
})

test('what is looked at beforehand can stop everything, and is not looked at when a cluster is gone on with', async (t) => {
  const { go, tools, place } = prepared(t, () => [], [])
  await assert.rejects(go({ preflight: () => Promise.reject(new Error('no room')) }), /no room/)
  assert.deepEqual(changes(tools), [])
  assert.equal(readRecord(place), undefined)
  await go()
  let looked = 0
  await go({ preflight: async () => void looked++ })
  assert.equal(looked, 0)
})

test('on a machine without the tools all that is missing is told, where somebody looks; else what was asked for', async (t) => {
  const missing = prepared(t, () => [], [['kind get clusters', { fails: 'missing' }]])
  await assert.rejects(missing.go({ preflight: () => Promise.reject(new Error('four things')) }), /four things/)
  await assert.rejects(missing.go(), { code: 'missing' })
  const stderr = 'ERROR: failed to list clusters: Cannot connect to the Docker daemon at unix:///var/run/docker.sock.'
  const stopped = prepared(t, () => [], [['kind get clusters', { code: 1, stderr }]])
  await assert.rejects(stopped.go({ preflight: async () => {} }), /cannot be asked: ERROR: .*docker\.sock\. \S.*\./s)
})

test('a step that failed is told whole, and done again by the next try, which goes on there', async (t) => {
  const steps = () => [step('a', [run('one')], { done: 'proven' }), step('b', [run('two')]), step('c', [run('three')])]
  const said = Array.from({ length: 40 }, (_, index) => `line ${index}`).join('\n')
  const { go, tools, told } = prepared(t, steps, [
    [/^kubectl (one|three)/, {}],
    ['kubectl two', [{ code: 1, stderr: `${said}\nno space left on device\n` }, {}]],
  ])
  const outcome = await go()
  assert.ok(outcome.kind === 'failed')
  const { failure } = outcome
  assert.deepEqual([failure.step.id, failure.command?.args, failure.why], ['b', ['two'], 'it ended with code 1'])
  assert.deepEqual([failure.said.length, failure.said.at(-1)], [15, 'no space left on device'])
  assert.equal((await go()).kind, 'done')
  assert.deepEqual(changes(tools), [
    'kind create cluster',
    'kubectl one',
    'kubectl two',
    'kubectl two',
    'kubectl three',
  ])
  assert.deepEqual(told('skipped'), ['cluster', 'a'])
})

test('what was proven of a cluster is proven anew when it is made of something else', async (t) => {
  let text = 'one'
  const steps = (): readonly Step[] => [step('a', [run(text)], { done: 'proven' })]
  const { go, tools, place } = prepared(t, steps, [[/^kubectl (one|two)/, {}]])
  await go()
  text = 'two'
  await go({ plan: { steps: [making(place), ...steps()] } })
  assert.deepEqual(changes(tools), ['kind create cluster', 'kubectl one', 'kubectl two'])
})

for (const fails of ['missing', 'timeout'] as const)
  test(`a tool that ${fails === 'missing' ? 'is not there' : 'takes too long'} is a failed step, and not a crash`, async (t) => {
    const { go } = prepared(t, () => [step('a', [run('one')])], [['kubectl one', { fails }]])
    const outcome = await go()
    assert.ok(outcome.kind === 'failed')
    assert.deepEqual([outcome.failure.step.id, outcome.failure.missing], ['a', fails === 'missing' ? true : undefined])
  })

test('Ctrl-C ends what runs, says where, and the next try goes on there', async (t) => {
  const steps = () => [step('a', [run('one')], { done: 'proven' }), step('b', [run('two')])]
  const controller = new AbortController()
  const { go, tools, place } = prepared(t, steps, [
    ['kubectl one', {}],
    ['kubectl two', (_, nth) => (nth === 0 ? { hangs: true } : {})],
  ])
  const tell = (event: PlanEvent) => {
    if (event.kind === 'action' && event.step.id === 'b') setImmediate(() => controller.abort('SIGINT'))
  }
  const outcome = await go({ signal: controller.signal, tell })
  assert.ok(outcome.kind === 'interrupted')
  assert.equal(outcome.step?.id, 'b')
  assert.deepEqual(Object.keys(outcome.record?.steps ?? {}), ['cluster', 'a'])
  assert.equal(readRecord(place)?.uid, uid)
  assert.equal((await go()).kind, 'done')
  assert.deepEqual(changes(tools), ['kind create cluster', 'kubectl one', 'kubectl two', 'kubectl two'])
})

const begun = { begun: '2026-11-22T03:00:00.000Z', networkWasThere: false, steps: {}, untold: [] }

test('a cluster that was half made is taken away before it is made again', async (t) => {
  const { go, tools, place, events } = prepared(t, () => [], [], true)
  writeRecord(place, { ...begun, making: true })
  assert.equal((await go()).kind, 'done')
  assert.deepEqual(changes(tools), ['kind delete cluster --name bulkhead', 'kind create cluster'])
  assert.ok(events.some((event) => event.kind === 'note' && /interrupted last time/.test(event.text)))
})

test('a cluster that was half deleted is taken away whole, whatever of it is left, and the network stays ours', async (t) => {
  const deleting = { ...begun, uid, container: 'c0ffee', deleting: true }
  for (const left of [{ stdout: 'c0ffee\n' }, { code: 1, stderr: 'No such container' }]) {
    const { go, tools, place, events }: ReturnType<typeof prepared> = prepared(
      t,
      () => [],
      [
        ['docker container inspect', () => (changes(tools).length < 2 ? left : { stdout: 'decaf\n' })],
        ['docker network inspect kind', {}],
      ],
      true,
    )
    writeRecord(place, deleting)
    assert.equal((await go()).kind, 'done')
    assert.deepEqual(changes(tools), ['kind delete cluster --name bulkhead', 'kind create cluster'])
    assert.ok(events.some((event) => event.kind === 'note' && /deleting .* interrupted last time/.test(event.text)))
    const { networkWasThere, container, deleting: still } = readRecord(place) ?? {}
    assert.deepEqual([networkWasThere, container, still], [false, 'decaf', undefined])
  }
  const other = prepared(t, () => [], [['docker container inspect', { stdout: 'decaf\n' }]], true)
  writeRecord(other.place, deleting)
  await assert.rejects(other.go(), { code: 'not-ours' })
  assert.deepEqual(changes(other.tools), [])
})

test('a cluster that somebody else has made since a try here failed, or long after it, is not taken for half made', async (t) => {
  for (const record of [
    { ...begun, making: false },
    { ...begun, making: true, begun: '2026-11-21T03:00:00.000Z' },
    { ...begun, making: true, begun: '2026-11-22T04:00:00.000Z' },
  ]) {
    const { go, tools, place } = prepared(t, () => [], [], true)
    writeRecord(place, record)
    await assert.rejects(go(), { code: 'not-ours', message: /not known to be ours\. Nothing was changed/ })
    assert.deepEqual(changes(tools), [])
    assert.deepEqual(readRecord(place), record)
  }
})

test('of two who make it at once, the one who came too late claims nothing, however often it is tried', async (t) => {
  let there = false
  const { go, tools } = prepared(t, () => [], [
    ['kind get clusters', () => ({ stdout: there ? 'bulkhead\n' : '' })],
    [
      'kind create cluster',
      () => {
        there = true
        return { code: 1, stderr: 'ERROR: node(s) already exist for a cluster with the name "bulkhead"' }
      },
    ],
  ])
  assert.equal((await go()).kind, 'failed')
  await assert.rejects(go(), { code: 'not-ours' })
  await assert.rejects(go(), { code: 'not-ours' })
  assert.deepEqual(changes(tools), ['kind create cluster'])
})

test('that the cluster answers says nothing of the Docker that is asked: another one is not touched', async (t) => {
  const mine = { ...begun, uid, container: 'c0ffee' }
  const other = prepared(t, () => [step('a', [run('one')])], [['docker container inspect', { stdout: 'decaf' }]], true)
  writeRecord(other.place, mine)
  writeFileSync(other.place.kubeconfig, '')
  await assert.rejects(other.go(), { code: 'not-ours', message: /another container .*DOCKER_HOST/s })
  const none = prepared(t, () => [step('a', [run('one')])], [['kubectl get namespace kube-system', { stdout: uid }]])
  writeRecord(none.place, mine)
  writeFileSync(none.place.kubeconfig, '')
  await assert.rejects(none.go(), {
    code: 'not-ours',
    message: /is in another one\. Nothing was changed\. DOCKER_HOST/,
  })
  for (const { tools, place } of [other, none]) {
    assert.deepEqual(changes(tools), [])
    assert.deepEqual(readRecord(place), mine)
    assert.ok(existsSync(place.kubeconfig))
  }
})

test('a cluster that somebody has deleted since is made anew, and nothing is taken for done', async (t) => {
  const { go, tools, place, events } = prepared(t, () => [step('a', [run('one')], { done: 'proven' })], [
    ['kubectl one', {}],
  ])
  const done = { a: { at: 'then', fingerprint: 'x' }, cluster: { at: 'then', fingerprint: 'x' } }
  writeRecord(place, { uid: 'old', begun: 'then', networkWasThere: true, steps: done, untold: [] })
  writeFileSync(place.kubeconfig, 'old')
  assert.equal((await go()).kind, 'done')
  assert.deepEqual(changes(tools), ['kind create cluster', 'kubectl one'])
  assert.equal(readRecord(place)?.uid, uid)
  assert.ok(events.some((event) => event.kind === 'note' && /is gone/.test(event.text)))
  assert.notEqual(readFileSync(place.kubeconfig, 'utf8'), 'old')
})

const release = (place: Place): Step => {
  const { helm } = commandsFor(place)
  return step('r', [{ kind: 'run', command: helm(['upgrade', '--install', 'r'], 1) }], {
    done: { command: helm(['list'], 1), holds: { kind: 'release', name: 'r', namespace: 'n', chart: 'r-1.0.0' } },
  })
}
const listed = (status: string, revision = '1', chart = 'r-1.0.0') => ({
  stdout: JSON.stringify([{ name: 'r', namespace: 'n', revision, status, chart }]),
})

test('a chart is installed once: afterwards the cluster says that it is there, and the record with what', async (t) => {
  const { go, tools } = prepared(t, (place) => [release(place)], [
    ['helm list', [{ stdout: '[]' }, listed('deployed'), listed('deployed', '1', 'r-0.9.0'), listed('failed')]],
    ['helm upgrade', {}],
  ])
  for (const upgrades of [1, 1, 2, 3]) {
    assert.equal((await go()).kind, 'done')
    assert.equal(tools.lines().filter((line) => line.startsWith('helm upgrade')).length, upgrades)
  }
})

test('a chart that is there is upgraded when its values or its version are others than those that it was installed with', async (t) => {
  const { go, tools, place } = prepared(t, (where) => [release(where)], [
    ['helm list', listed('deployed')],
    ['helm upgrade', {}],
  ])
  const upgrades = () => tools.lines().filter((line) => line.startsWith('helm upgrade')).length
  await go()
  assert.equal(upgrades(), 1, 'nobody has taken down what it was installed with')
  await go()
  assert.equal(upgrades(), 1)
  await go({ plan: { steps: [making(place), { ...release(place), files: ['k8s/platform/helm/cilium.yaml'] }] } })
  assert.equal(upgrades(), 2)
})

for (const [revision, how] of [
  ['1', 'helm uninstall r'],
  ['2', 'helm rollback r'],
] as const)
  test(`a chart that was left in the middle (revision ${revision}) is taken back first: ${how}`, async (t) => {
    const { go, tools } = prepared(t, (place) => [release(place)], [
      ['helm list', listed('pending-install', revision)],
      [/^helm (upgrade|uninstall|rollback)/, {}],
    ])
    assert.equal((await go()).kind, 'done')
    const helm = tools.lines().filter((line) => line.startsWith('helm ') && !line.startsWith('helm list'))
    assert.deepEqual(helm, [`${how} --namespace n --wait --timeout=3m`, 'helm upgrade --install r'])
  })

test('what is to be cleaned up is, however the step ends; what went wrong first is told', async (t) => {
  const cleanup = command('kubectl', 'three')
  const { go, tools } = prepared(t, () => [step('a', [run('one')], { cleanup })], [
    ['kubectl one', [{ code: 1 }, {}]],
    ['kubectl three', [{ fails: 'timeout' }, {}]],
  ])
  const outcome = await go()
  assert.deepEqual(outcome.kind === 'failed' && outcome.failure.command?.args, ['one'])
  assert.deepEqual(changes(tools).slice(-2), ['kubectl one', 'kubectl three'])
  assert.equal((await go()).kind, 'done')
  assert.deepEqual(changes(tools).slice(-2), ['kubectl one', 'kubectl three'])
})

test('the suite: its lines are passed on, differences are a result, and that it could not run is a failure', async (t) => {
  const suite: Action = { kind: 'suite', command: command('node', 'verify') }
  const { go, events } = prepared(t, () => [step('verify', [suite])], [
    [
      'node verify',
      [
        { code: 1, stdout: 'one differs\n' },
        { code: 2, stderr: 'nothing is up\n' },
      ],
    ],
  ])
  const outcome = await go()
  assert.ok(outcome.kind === 'done')
  assert.equal(outcome.suite?.code, 1)
  assert.ok(events.some((event) => event.kind === 'line' && event.line === 'one differs'))
  assert.equal((await go()).kind, 'failed')
})

test('no kubeconfig of ours is left from before when a cluster is made', async (t) => {
  const { go, place } = prepared(t, () => [], [['kind create cluster', { code: 1, stderr: 'no' }]])
  writeRecord(place, { begun: 'then', networkWasThere: true, steps: {}, untold: [] })
  writeFileSync(place.kubeconfig, 'of somebody else')
  assert.equal((await go()).kind, 'failed')
  assert.ok(!existsSync(place.kubeconfig))
})

test('a file that is only on its way is not left', async (t) => {
  const { go, place } = prepared(
    t,
    (where) => [step('a', [run('one')], { temporary: [`${where.folder}/large.tar`] })],
    [
      [
        'kubectl one',
        (_, nth) => {
          writeFileSync(`${place.folder}/large.tar`, 'large')
          return { code: nth === 0 ? 1 : 0 }
        },
      ],
    ],
  )
  for (const kind of ['failed', 'done']) {
    assert.equal((await go()).kind, kind)
    assert.ok(!existsSync(`${place.folder}/large.tar`))
  }
})
