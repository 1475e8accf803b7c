import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { type Lab, languages, loadLabs } from '@bulkhead/labs'
import { root } from '../target/testing.js'
import { ownWords } from './testing.js'

test('every lab is typed by a test of its own', async () => {
  for (const { id } of await loadLabs(root, 'en'))
    assert.ok(
      existsSync(new URL(`lab-${id}.test.js`, import.meta.url)),
      `src/labs/lab-${id}.test.ts: replayLab('${id}')`,
    )
})

test('the pages of a lab type the same, show the same and ask for the same, whatever their language', async () => {
  const english = await loadLabs(root, 'en')
  assert.ok(english.length > 0)
  for (const language of languages) {
    const translated = await loadLabs(root, language)
    for (const lab of translated) assert.equal(lab.language, language, `${lab.name} is written in ${language}`)
    assert.deepEqual(translated.map(contentOf), english.map(contentOf), language)
  }
})

test('of the pages’ lines those need no shell that are a command of ours alone', () => {
  assert.deepEqual(ownWords('npx bulkhead explain shop/sleep shop/web-api:8080 GET /'), [
    'explain',
    'shop/sleep',
    'shop/web-api:8080',
    'GET',
    '/',
  ])
  for (const line of [
    'npx bulkhead exec shop/sleep -- true',
    'npx bulkhead status | grep shop',
    "npx bulkhead logs 'shop/sleep'",
    'npx bulkhead apply -f ~/a.yaml',
    'npx bulkhead apply -f .bulkhead/a.yaml',
    'X=$(npx bulkhead status)',
    'curl http://127.0.0.1:30080/',
  ])
    assert.deepEqual(ownWords(line), [], line)
})

/** Without its words and lines. */
const contentOf = ({ id, minutes, needs, start, steps }: Lab) => ({
  id,
  minutes,
  needs,
  start,
  steps: steps.map(({ commands, check }) => ({
    commands: commands.map(({ line, output }) => ({ line, output })),
    check,
  })),
})
