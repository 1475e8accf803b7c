import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { ownCluster, temporaryPlace, uid } from './plan/testing.js'
import { type ClusterRecord, writeRecord } from './record.js'
import { takeDown } from './take-down.js'
import { type Answers, inspected, type Matcher, outsideUp, recordingTools } from './testing/index.js'

const begun = '2026-11-22T03:00:00.000Z'
const ours: ClusterRecord = { uid, container: 'c0ffee', begun, networkWasThere: false, steps: {}, untold: [] }

interface Case {
  readonly record?: ClusterRecord
  readonly there?: boolean
  readonly table?: readonly (readonly [Matcher, Answers])[]
}

function prepared(t: TestContext, { record = ours, there = true, table = [] }: Case = {}) {
  const place = temporaryPlace(t)
  writeRecord(place, record)
  writeFileSync(place.kubeconfig, '')
  const tools = recordingTools([...table, ...ownCluster(place, { there })])
  const deleted = () => tools.lines().includes('kind delete cluster --name bulkhead')
  return { place, tools, deleted }
}
const network = (containers: number): readonly [Matcher, Answers] => [
  'docker network inspect',
  { stdout: `${containers}\n` },
]
const silent: readonly [Matcher, Answers] = ['kubectl get namespace kube-system', { code: 1, stderr: 'refused' }]

test('what is ours goes, with all that was kept of it', async (t) => {
  const { place, tools, deleted } = prepared(t, { table: [network(0), ['docker network rm kind', {}]] })
  assert.deepEqual(await takeDown(tools, place), { deleted: true, network: 'removed' })
  assert.ok(deleted())
  assert.ok(!existsSync(place.folder))
})

test('what Docker keeps is asked before the folder goes, which has the log of that', async (t) => {
  const asked: boolean[] = []
  const { place, tools } = prepared(t, {
    table: [
      [
        'docker image inspect',
        ({ args }) => {
          asked.push(existsSync(place.folder))
          return { code: args.includes('one') ? 0 : 1 }
        },
      ],
      network(1),
    ],
  })
  const taken = await takeDown(tools, place, { images: ['one', 'two'] })
  assert.deepEqual(taken, { deleted: true, network: 'kept', kept: ['one'] })
  assert.deepEqual([asked, existsSync(place.folder)], [[true, true], false])
})

test('the host outside goes with it, after the nodes and before the network; one of somebody else stays', async (t) => {
  const gone = prepared(t, {
    table: [network(0), ['docker network rm kind', {}], ['docker container rm', {}], ...outsideUp],
  })
  await takeDown(gone.tools, gone.place)
  const lines = gone.tools.lines()
  const at = [
    'kind delete cluster --name bulkhead',
    'docker container rm --force bulkhead-outside',
    'docker network rm kind',
  ]
  assert.deepEqual(
    at.map((line) => lines.indexOf(line)),
    at.map((line) => lines.indexOf(line)).toSorted((one, other) => one - other),
  )
  assert.ok(
    at.every((line) => lines.includes(line)),
    lines.join('\n'),
  )
  const foreign = ['docker container inspect bulkhead-outside', { stdout: inspected({ label: '' }) }] as const
  const other = prepared(t, { table: [network(1), foreign] })
  assert.deepEqual(await takeDown(other.tools, other.place), { deleted: true, network: 'kept' })
  assert.ok(!other.tools.lines().some((line) => line.startsWith('docker container rm')))
})

test('the network stays where it was there before us, or somebody is in it', async (t) => {
  const before = prepared(t, { record: { ...ours, networkWasThere: true }, table: [network(0)] })
  assert.deepEqual(await takeDown(before.tools, before.place), { deleted: true, network: 'kept' })
  const used = prepared(t, { table: [network(1)] })
  assert.deepEqual(await takeDown(used.tools, used.place), { deleted: true, network: 'kept' })
  const late = prepared(t, {
    table: [network(0), ['docker network rm kind', { code: 1, stderr: 'has active endpoints' }]],
  })
  assert.deepEqual(await takeDown(late.tools, late.place), { deleted: true, network: 'kept' })
})

test('what is not ours stays', async (t) => {
  const another = prepared(t, { table: [['kubectl get namespace kube-system', { stdout: 'another' }]] })
  await assert.rejects(takeDown(another.tools, another.place), { code: 'not-ours' })
  assert.ok(!another.deleted() && existsSync(another.place.record))
  const place = temporaryPlace(t)
  const tools = recordingTools(ownCluster(place, { there: true }))
  await assert.rejects(takeDown(tools, place), { code: 'not-ours', message: /was not made here/ })
  assert.deepEqual(tools.lines(), ['kind get clusters'])
})

test('one that does not answer is known by its container, and by nothing less', async (t) => {
  const same = prepared(t, { table: [silent] })
  assert.equal((await takeDown(same.tools, same.place))?.deleted, true)
  const other = prepared(t, { table: [silent, ['docker container inspect', { stdout: 'decaf' }]] })
  await assert.rejects(takeDown(other.tools, other.place), { code: 'not-ours' })
  assert.ok(!other.deleted())
  const { container: _, ...without } = ours
  const unknown = prepared(t, { record: without, table: [silent, ['docker container inspect', { code: 1 }]] })
  await assert.rejects(takeDown(unknown.tools, unknown.place), { code: 'no-answer' })
})

test('one whose deleting was interrupted is deleted by the next try, with whatever there is of it', async (t) => {
  const noContext = [
    'kubectl config view',
    { code: 1, stderr: 'error: context "kind-bulkhead" does not exist' },
  ] as const
  const none = { code: 1, stderr: 'No such container' }
  for (const container of [{ stdout: 'c0ffee\n' }, none]) {
    // kind takes its context away before it takes the nodes away.
    let begun = false
    const after = (well: object, then: object) => () => (begun ? then : well)
    const { tools, place, deleted } = prepared(t, {
      table: [
        [
          'kind delete cluster',
          (_, nth) => {
            begun = true
            return { code: nth === 0 ? 1 : 0 }
          },
        ],
        ['kind get clusters', [{ stdout: 'bulkhead\n' }, { stdout: 'bulkhead\n' }, { stdout: '' }]],
        ['kubectl config view', after({ stdout: 'https://127.0.0.1:40123' }, noContext[1])],
        ['docker container inspect --format', after({ stdout: 'c0ffee\n' }, container)],
      ],
    })
    await assert.rejects(takeDown(tools, place), /it ended with code 1/)
    assert.ok(existsSync(place.record))
    assert.equal((await takeDown(tools, place))?.deleted, true)
    assert.ok(deleted() && !existsSync(place.folder))
  }
  const other = prepared(t, {
    record: { ...ours, deleting: true },
    table: [['docker container inspect', { stdout: 'decaf' }], noContext],
  })
  await assert.rejects(takeDown(other.tools, other.place), { code: 'not-ours' })
  const unsaid = prepared(t, { table: [noContext] })
  await assert.rejects(takeDown(unsaid.tools, unsaid.place), { code: 'not-ours', message: /has no context/ })
})

test('where DOCKER_HOST leads to another Docker nothing of it goes, and nothing here is forgotten, though ours answers', async (t) => {
  const theirs = prepared(t, { table: [['docker container inspect', { stdout: 'decaf' }]] })
  await assert.rejects(takeDown(theirs.tools, theirs.place), { code: 'not-ours', message: /DOCKER_HOST/ })
  const empty = prepared(t, { there: false, table: [['kubectl get namespace kube-system', { stdout: uid }]] })
  await assert.rejects(takeDown(empty.tools, empty.place), { code: 'not-ours', message: /in another one/ })
  for (const { tools, place, deleted } of [theirs, empty]) {
    assert.ok(!deleted() && existsSync(place.record))
    assert.ok(!tools.lines().some((line) => line.startsWith('docker network')))
  }
})

test('half made, gone already, and none at all', async (t) => {
  const { uid: _, ...making } = ours
  const half = prepared(t, { record: { ...making, making: true } })
  assert.equal((await takeDown(half.tools, half.place))?.deleted, true)
  const failed = prepared(t, { record: making })
  await assert.rejects(takeDown(failed.tools, failed.place), { code: 'not-ours' })
  assert.ok(!failed.deleted() && existsSync(failed.place.record))
  const gone = prepared(t, { there: false })
  assert.deepEqual(await takeDown(gone.tools, gone.place), { deleted: false, network: 'none' })
  assert.ok(!existsSync(gone.place.folder))
  const place = temporaryPlace(t)
  mkdirSync(place.folder, { recursive: true })
  assert.equal(await takeDown(recordingTools(ownCluster(place)), place), undefined)
  assert.ok(!existsSync(place.folder))
})

test('when kind cannot delete it, it is not forgotten', async (t) => {
  const { place, tools } = prepared(t, { table: [['kind delete cluster', { code: 1, stderr: 'no' }]] })
  await assert.rejects(takeDown(tools, place), /it ended with code 1/)
  assert.ok(existsSync(place.record))
  const still = prepared(t, { table: [['kind delete cluster', {}]] })
  await assert.rejects(takeDown(still.tools, still.place), /lists it still/)
  assert.ok(existsSync(still.place.record))
})

test('without kind there is none of ours, and a host of ours goes all the same; where there is a record kind is missed', async (t) => {
  const missing: readonly (readonly [Matcher, Answers])[] = [['kind get clusters', { fails: 'missing' }]]
  const place = temporaryPlace(t)
  const host = recordingTools([...missing, ['docker container rm', {}], ...outsideUp])
  assert.equal(await takeDown(host, place), undefined)
  assert.ok(host.lines().includes('docker container rm --force bulkhead-outside'))
  const nothing = recordingTools([...missing, [/^docker /, { fails: 'missing' }]])
  assert.equal(await takeDown(nothing, place), undefined)
  const recorded = prepared(t, { table: missing })
  await assert.rejects(takeDown(recorded.tools, recorded.place), { code: 'missing' })
  assert.ok(existsSync(recorded.place.record))
})

test('what is found is told before it goes, and only then', async (t) => {
  const found = prepared(t, { table: [network(0), ['docker network rm kind', {}]] })
  const told: boolean[] = []
  await takeDown(found.tools, found.place, { onFound: () => told.push(found.deleted()) })
  assert.deepEqual(told, [false])
  const gone = prepared(t, { there: false, table: [silent, network(0), ['docker network rm kind', {}]] })
  await takeDown(gone.tools, gone.place, { onFound: () => told.push(true) })
  assert.deepEqual(told, [false])
})
