import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fit } from './failure.mjs'
import { inRoot } from './root.mjs'
import { folderWith } from './testing.mjs'

test('a sentence is broken between words on a terminal, and stays whole elsewhere', () => {
  const sentence = 'The folder could not be written: make it writable.'
  assert.equal(fit(sentence, 30), 'The folder could not be\nwritten: make it writable.')
  assert.equal(fit(sentence, 5).replaceAll('\n', ' '), sentence)
  assert.equal(fit(sentence), sentence)
})

for (const script of ['start', 'test', 'setup', 'bench']) {
  test(`scripts/${script}.mjs tells an old Node that it is old, before anything else`, (t) => {
    const folder = folderWith(t, {
      'old.mjs': "Object.defineProperty(process.versions, 'node', { value: '18.20.8' })",
    })
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', `${folder}/old.mjs`, inRoot('scripts', `${script}.mjs`)],
      { encoding: 'utf8' },
    )
    assert.deepEqual([status, stdout], [2, ''])
    assert.match(stderr, /^Node\.js 20\.19 or newer is needed, and this is 18\.20\.8 \(.*\)\.\nInstall a newer one/)
  })
}
