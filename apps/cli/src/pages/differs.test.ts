import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { loadScenarios } from '@bulkhead/scenarios'
import { repository } from '../golden.js'
import { runCli } from '../testing.js'

const page = readFileSync(path.join(repository, 'docs/where-local-differs.md'), 'utf8')
const [beginning = '', ...sections] = page.split(/^## /m)

/** What stands between two comments of the page. */
const part = (name: string): string =>
  new RegExp(`begin: ${name} -->\\n([\\s\\S]*?)<!-- end: ${name} -->`).exec(page)?.[1] ?? assert.fail(name)
/** Scenarios that it names in code, in order of their names. */
const namedIn = (text: string): readonly string[] =>
  [...text.matchAll(/`([a-z0-9-]+)`/g)]
    .map(([, name = '']) => name)
    .filter((name) => ids.has(name))
    .toSorted()

const scenarios = await loadScenarios(path.join(repository, 'scenarios'))
const ids = new Set(scenarios.map(({ id }) => id))

test('each part of the page is found by the table at its beginning', () => {
  const links = [...beginning.matchAll(/\]\(#([a-z-]+)\) \|$/gm)].map(([, anchor]) => anchor)
  const anchors = sections.map((text) =>
    (text.split('\n', 1)[0] ?? '')
      .toLowerCase()
      .replace(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  )
  assert.deepEqual(links, anchors)
})

test('it names the scenarios that no cluster of kind’s has a way to make', () => {
  const known = readFileSync(path.join(repository, 'packages/kind-cluster/fixtures/not-makeable.json'), 'utf8')
  assert.deepEqual(namedIn(part('not made')), JSON.parse(known))
})

test('it names the scenarios that are for one target only', () => {
  const only = scenarios.filter((scenario) => scenario.only !== undefined).map(({ id }) => id)
  assert.deepEqual(namedIn(part('local only')), only.toSorted())
})

test('it names the commands that can be asked about a cluster', async () => {
  const row = /^\| (`attack`.*?) with `--on kind` \|/m.exec(page)?.[1] ?? assert.fail()
  const named = [...row.matchAll(/`([a-z]+)`/g)].map(([, name]) => name)
  const { stdout } = await runCli(['--help'])
  const all = [...stdout.matchAll(/^ {2}([a-z]+)(?: \[|\s)/gm)].map(([, name = '']) => name)
  const having: string[] = []
  for (const name of new Set(all))
    if ((await runCli([name, '--help'])).stdout.includes('--on <target>')) having.push(name)
  assert.deepEqual(named.toSorted(), having.toSorted())
})
