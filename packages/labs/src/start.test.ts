import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { LabJournal } from './journal.js'
import { resetLab, startLab } from './start.js'
import { FakeTarget } from './testing/fake-target.js'
import type { Lab } from './types.js'

const lab: Lab = {
  id: '01',
  name: '01-doors',
  file: 'docs/labs/01-doors/README.md',
  language: 'en',
  title: 'Doors',
  minutes: 1,
  needs: [],
  start: { layersOff: ['40-a', '50-b'], without: ['X/ns/door'] },
  steps: [],
}

function begin(t: TestContext) {
  const folder = temporaryFolder(t)
  const target = new FakeTarget(['40-a', '50-b', '60-c', '70-d'])
  target.off = new Set(['50-b', '60-c'])
  target.changes = new Map([['X/ns/mine', { objects: 'mine' }]])
  return { folder, target, journal: new LabJournal(folder) }
}
const stateOf = ({ off, changes }: FakeTarget) => ({ off: [...off].sort(), changes: [...changes] })
const before = { off: ['50-b', '60-c'], changes: [['X/ns/mine', { objects: 'mine' }]] }
const inLab = { off: ['40-a', '50-b'], changes: [['X/ns/door', { without: ['X/ns/door'] }]] }

test('start puts the lab’s start in force, reset what was before, and reset again nothing', async (t) => {
  const { target, journal } = begin(t)
  await startLab(target, lab, journal)
  assert.deepEqual(stateOf(target), inLab)
  target.changes.set('X/ns/applied', { objects: 'x' })
  await resetLab(target, journal)
  assert.deepEqual(stateOf(target), before)
  assert.equal(journal.read(), undefined)
  assert.equal(await resetLab(target, journal), undefined)
  assert.deepEqual(stateOf(target), before)
})

test('what was applied later is withdrawn first: it may need what was there before', async (t) => {
  const { target, journal } = begin(t)
  await startLab(target, lab, journal)
  const withdrawn: string[] = []
  for (const name of ['ConfigMap', 'Gateway']) target.changes.set(name, { objects: name })
  const { withdraw } = target
  target.withdraw = async (name) => {
    withdrawn.push(name)
    await withdraw(name)
  }
  await resetLab(target, journal)
  assert.deepEqual(withdrawn.slice(0, 2), ['Gateway', 'ConfigMap'])
})

test('begun again in the middle, it is the first time’s before that comes back', async (t) => {
  const { target, journal } = begin(t)
  await startLab(target, lab, journal)
  target.changes.set('X/ns/applied', { objects: 'x' })
  await startLab(target, lab, journal)
  assert.deepEqual(stateOf(target), inLab)
  await resetLab(target, journal)
  assert.deepEqual(stateOf(target), before)
})

test('whichever change fails, in start or in reset, reset brings back what was before', async (t) => {
  for (const failing of ['start', 'reset'] as const) {
    let failed = 0
    for (let at = 1; ; at += 1) {
      const { target, journal } = begin(t)
      let changes = 0
      const fail = () => {
        changes += 1
        if (changes === at) throw new Error('cut')
      }
      const run = async (name: 'start' | 'reset') => {
        target.before = name === failing ? fail : () => undefined
        await (name === 'start' ? startLab(target, lab, journal) : resetLab(target, journal))
      }
      const went = await run('start').then(
        () => true,
        () => false,
      )
      if (went) await run('reset').catch(() => undefined)
      if (changes < at) break
      failed += 1
      target.before = () => undefined
      await resetLab(target, journal)
      assert.deepEqual(stateOf(target), before, `${failing}, change ${at}`)
      assert.equal(journal.read(), undefined)
    }
    assert.ok(failed >= 3, `${failing} has changes that can fail: ${failed}`)
  }
})

test('on a target that was started anew, what had been applied before is not brought back; its layers are', async (t) => {
  const { target, journal } = begin(t)
  await startLab(target, lab, journal)
  target.startedAt = '2026-01-31T11:00:00.000Z'
  target.changes = new Map([['X/ns/new', { objects: 'new' }]])
  await resetLab(target, journal)
  assert.deepEqual(stateOf(target), { off: before.off, changes: [['X/ns/new', { objects: 'new' }]] })
})

test('a journal that is none is said, and not overwritten', async (t) => {
  const { folder, target, journal } = begin(t)
  await startLab(target, lab, journal)
  for (const text of ['', '{', '{"lab":"01"}', '[]', '{"lab":1}']) {
    writeFileSync(path.join(folder, 'overlay', 'lab.json'), text)
    await assert.rejects(startLab(target, lab, journal), /lab\.json is not what `bulkhead lab` writes/)
    await assert.rejects(resetLab(target, journal), /lab\.json is not what/)
  }
})
