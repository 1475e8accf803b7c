import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findLab, languageOf, loadLabs } from './load.js'
import { LabError } from './types.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

test('the repository’s labs are read, each in every language', async () => {
  const english = await loadLabs(root, 'en')
  assert.ok(english.length > 0)
  const chinese = await loadLabs(root, 'zh-TW')
  assert.deepEqual(
    chinese.map(({ id, language }) => [id, language]),
    english.map(({ id }) => [id, 'zh-TW']),
  )
  for (const lab of english)
    assert.ok(
      lab.steps.some(({ check }) => check !== undefined),
      lab.name,
    )
})

test('a lab is found by its number and by its name', async () => {
  const labs = await loadLabs(root, 'en')
  const [first] = labs
  assert.ok(first !== undefined)
  for (const asked of ['01', '1', first.name, first.name.slice(3)]) assert.equal(findLab(labs, asked), first, asked)
  for (const asked of ['', '0', '11', '99', 'lab', '../01']) assert.equal(findLab(labs, asked), undefined, asked)
})

test('a folder without labs has none, and a lab without a page is said', async () => {
  assert.deepEqual(await loadLabs(path.join(root, 'nowhere'), 'en'), [])
  const without = path.join(root, 'packages', 'labs', 'fixtures', 'without-page')
  await assert.rejects(loadLabs(without, 'zh-TW'), (error) => {
    assert.ok(error instanceof LabError)
    assert.equal(error.message, 'docs/labs/09-empty/README.md:1: there is no such page')
    return true
  })
})

test('the language is that of the locale', () => {
  for (const [env, language] of [
    [{}, 'en'],
    [{ LANG: 'C.UTF-8' }, 'en'],
    [{ LANG: 'zh_TW.UTF-8' }, 'zh-TW'],
    [{ LANG: 'zh-Hant-TW' }, 'zh-TW'],
    [{ LANG: 'zh_CN.UTF-8' }, 'en'],
    [{ LANG: 'zh_TW.UTF-8', LC_ALL: 'en_GB.UTF-8' }, 'en'],
    [{ LANG: 'en_GB.UTF-8', LC_MESSAGES: 'zh_TW' }, 'zh-TW'],
  ] as const)
    assert.equal(languageOf(env), language, JSON.stringify(env))
})
