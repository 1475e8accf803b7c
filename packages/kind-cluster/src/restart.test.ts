import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { command, ownCluster, temporaryPlace } from './plan/testing.js'
import type { Action, Plan, Step } from './plan/types.js'
import { readRecord, writeRecord } from './record.js'
import { runPlan } from './run-plan.js'
import { type Answers, type Matcher, recordingTools } from './testing/index.js'

const names = ['localhost/bulkhead/probe:1', 'localhost/bulkhead/web-api:1'] as const
const [probe, webApi] = names
const restart = (what: string, ...images: readonly string[]): Action => ({
  kind: 'restart',
  command: command('kubectl', 'rollout', 'restart', what),
  images,
})

/** A plan whose last step starts pods, on nodes whose images are as they are given, by app. */
function prepared(t: TestContext, rows: readonly (readonly [Matcher, Answers])[] = []) {
  const place = temporaryPlace(t)
  let now: readonly string[] = ['a', 'b']
  const images = (): string =>
    JSON.stringify({ images: names.map((name, at) => ({ id: `sha256:${now[at]}`, repoTags: ['x:1', name] })) })
  const tools = recordingTools([
    ...rows,
    ['docker exec', () => ({ stdout: images() })],
    [/^kubectl (apply|rollout)/, {}],
    ...ownCluster(place),
  ])
  const step = (id: string, actions: readonly Action[]): Step => ({
    ...{ id, part: 'workloads', title: id, why: 'Because.', actions },
  })
  const workloads: Step = {
    ...step('workloads', [
      { kind: 'run', command: command('kubectl', 'apply') },
      restart('deployment/sleep', probe),
      restart('deployment/web-api', webApi),
      restart('deployment/both', probe, webApi),
    ]),
    images: { names, command: command('docker', 'exec', 'bulkhead-worker', 'crictl', 'images') },
  }
  const making = step('cluster', [{ kind: 'run', command: command('kind', 'create', 'cluster') }])
  const plan: Plan = { steps: [making, workloads] }
  const notes: string[] = []
  const up = async (...ids: readonly string[]) => {
    if (ids.length > 0) now = ids
    const from = tools.lines().length
    const { kind } = await runPlan({
      plan,
      tools,
      place,
      resources: [],
      tell: (one) => void (one.kind === 'note' && notes.push(one.text)),
    })
    const lines = tools.lines().slice(from)
    return [kind, ...lines.flatMap((line) => /^kubectl (apply|rollout restart .*)/.exec(line)?.[1] ?? [])]
  }
  return { up, place, notes }
}

test('pods are started again where an image of theirs is another one by now, after the workloads, and once', async (t) => {
  const { up, place } = prepared(t)
  assert.deepEqual(await up(), ['done', 'apply'], 'the first ones have what is there')
  assert.deepEqual(readRecord(place)?.images, { [probe]: 'sha256:a', [webApi]: 'sha256:b' })
  assert.deepEqual(await up(), ['done', 'apply'])
  const both = 'rollout restart deployment/both'
  assert.deepEqual(await up('a', 'c'), ['done', 'apply', 'rollout restart deployment/web-api', both])
  assert.deepEqual(await up(), ['done', 'apply'])
  assert.deepEqual(await up('d', 'c'), ['done', 'apply', 'rollout restart deployment/sleep', both])
})

test('a try that ended on the way has started nothing anew: the next one does', async (t) => {
  const failing = (_: unknown, nth: number) => (nth === 0 ? { code: 1 } : {})
  const { up } = prepared(t, [['kubectl rollout restart deployment/both', failing]])
  await up()
  const all = ['apply', 'rollout restart deployment/web-api', 'rollout restart deployment/both']
  assert.deepEqual(await up('a', 'c'), ['failed', ...all])
  assert.deepEqual(await up(), ['done', ...all])
})

test('what the first pods were started with is known though that try ended before they were ready', async (t) => {
  const { up } = prepared(t, [['kubectl apply', (_, nth) => (nth === 0 ? { code: 1 } : {})]])
  assert.deepEqual(await up(), ['failed', 'apply'])
  assert.equal((await up('a', 'c')).length, 4)
})

test('pods of which that was never taken down are started again once', async (t) => {
  const { up, place } = prepared(t)
  await up()
  const record = readRecord(place) ?? assert.fail('no record')
  const { images: _, ...older } = record
  writeRecord(place, older)
  assert.equal((await up()).length, 5)
  assert.equal((await up()).length, 2)
})

test('a node that cannot be asked what it has is a failed step, and nothing is changed', async (t) => {
  const { up } = prepared(t, [['docker exec', { code: 1, stderr: 'crictl: not found' }]])
  assert.deepEqual(await up(), ['failed'])
})

test('one that does not say it is no failure, and is told', async (t) => {
  const list = { images: [{ id: 'sha256:a', repoTags: [probe] }, { id: 'sha256:x' }] }
  const odd = ['?', 'null', '{"images":5}', '{"images":[null,"x",{"repoTags":7}]}']
  const said = [...odd, JSON.stringify(list)].map((stdout) => ({ stdout }))
  const { up, notes } = prepared(t, [['docker exec', said]])
  for (const [nth, answer] of odd.entries()) {
    assert.deepEqual(await up(), ['done', 'apply'], answer)
    assert.match(notes[nth] ?? '', new RegExp(`which ${probe} and ${webApi} it has`))
  }
  await up()
  assert.match(notes[odd.length] ?? '', new RegExp(`which ${webApi} it has`))
})
