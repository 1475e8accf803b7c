import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Scenario } from '@bulkhead/scenarios'
import { temporaryFolder } from '@bulkhead/testing'
import { repository } from './golden.js'
import { chooseScenarios } from './scenario-run.js'
import { runCli } from './testing.js'

const scenario = (id: string): Scenario => ({
  id,
  title: id,
  story: '',
  kind: 'attack',
  from: 'shop/notsleep',
  attempt: { kind: 'http', to: { service: 'shop/web-api' }, port: 8080 },
  expect: { walls: [], through: {} },
  notice: '',
  file: `scenarios/${id}.yaml`,
})
const all = ['a-to-b', 'a-to-c', 'z'].map(scenario)
const ids = (chosen: readonly Scenario[]) => chosen.map(({ id }) => id)

test('without an id all of them run, else those that are named, in their own order', () => {
  assert.deepEqual(ids(chooseScenarios(all, [], 'attack')), ['a-to-b', 'a-to-c', 'z'])
  assert.deepEqual(ids(chooseScenarios(all, ['z', 'a-to-b', 'z'], 'attack')), ['a-to-b', 'z'])
})

test('an unknown id is an error that names near ones, or all', () => {
  assert.throws(() => chooseScenarios(all, ['a-to'], 'attack'), {
    message: 'there is no attack "a-to"; did you mean a-to-b or a-to-c?',
    exitCode: 2,
  })
  assert.throws(() => chooseScenarios(['outsider-to-web-api', 'z'].map(scenario), ['outsder-to-web-api'], 'attack'), {
    message: 'there is no attack "outsder-to-web-api"; did you mean outsider-to-web-api?',
  })
  assert.throws(() => chooseScenarios(all, ['long-one'], 'scenario'), {
    message: 'there is no scenario "long-one"; there are a-to-b, a-to-c, z.',
  })
  assert.throws(() => chooseScenarios([], [], 'attack'), /there is no attack in scenarios\//)
})

for (const command of ['attack', 'verify']) {
  test(`${command} with nothing up says so: exit code 2`, async (t) => {
    const state = temporaryFolder(t)
    const { code, stdout, stderr } = await runCli([command, '--state', state], { cwd: repository })
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /^bulkhead: nothing is up here/)
  })
}
