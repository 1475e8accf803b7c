import assert from 'node:assert/strict'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { attacksOf, type Scenario } from '@bulkhead/scenarios'
import { temporaryFolder } from '@bulkhead/testing'
import { repository } from './golden.js'
import { shellWord } from './places.js'
import { chooseScenarios, readAsked } from './scenario-run.js'
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

test('who names scenarios has only their files read; a name that is none of that kind is told of by all there are', async (t) => {
  const cwd = temporaryFolder(t)
  const [attack, legitimate] = ['notsleep-to-web-api', 'manager-lists-secrets']
  for (const folder of ['k8s', 'scenarios']) mkdirSync(path.join(cwd, folder))
  writeFileSync(path.join(cwd, 'package.json'), '{}')
  for (const id of [attack, legitimate])
    cpSync(path.join(repository, `scenarios/${id}.yaml`), path.join(cwd, `scenarios/${id}.yaml`))
  const attacks = (...named: readonly string[]) => readAsked({ cwd }, { ids: named, what: 'attack', of: attacksOf })
  const any = (...named: readonly string[]) => readAsked({ cwd }, { ids: named, what: 'scenario' })
  assert.deepEqual(ids(await any()), [legitimate, attack])
  await assert.rejects(attacks(legitimate), {
    message: `there is no attack "${legitimate}"; there are ${attack}.`,
    exitCode: 2,
  })
  await assert.rejects(any(attack, 'manager-list-secrets'), {
    message: `there is no scenario "manager-list-secrets"; did you mean ${legitimate}?`,
    exitCode: 2,
  })

  writeFileSync(path.join(cwd, 'scenarios/broken.yaml'), 'id: [')
  assert.deepEqual(ids(await attacks(attack, attack)), [attack])
  assert.deepEqual(ids(await any(attack, legitimate)), [legitimate, attack])
  await assert.rejects(any(), /scenarios\/broken\.yaml:1:/)
})

for (const command of ['attack', 'verify']) {
  test(`${command} with nothing up says so: exit code 2`, async (t) => {
    const state = temporaryFolder(t)
    const { code, stdout, stderr } = await runCli([command, '--state', state], { cwd: repository })
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /^bulkhead: nothing is up here/)
    assert.ok(stderr.includes(`start it with \`npm start -- --state ${shellWord(state)}\`.`), stderr)
  })
}
