import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { cleanUp } from './clean-up.js'
import { plainFolder, temporaryFolder } from './folder.js'

test('a folder of its own below the temporary one, gone with the test and all that is in it', async (t) => {
  let folder = ''
  await t.test('the one that has it', (inner) => {
    folder = temporaryFolder(inner)
    assert.equal(dirname(folder), tmpdir())
    assert.match(basename(folder), / /, 'nobody may mind a space')
    assert.match(basename(plainFolder(inner)), /^[\w-]+$/, 'but for who reads what is to be typed')
    assert.ok(statSync(folder).isDirectory())
    assert.notEqual(temporaryFolder(inner), folder)
    mkdirSync(join(folder, 'a/b'), { recursive: true })
    writeFileSync(join(folder, 'a/b/c'), '')
  })
  assert.equal(existsSync(folder), false)
})

test('whoever was started in it is over before it goes', async (t) => {
  const seen: boolean[] = []
  await t.test('the one that has it', (inner) => {
    const folder = temporaryFolder(inner)
    cleanUp(inner, () => seen.push(existsSync(folder)))
  })
  assert.deepEqual(seen, [true])
})

test('one that cannot be removed is told on stderr, and is no mistake of the test', async (t) => {
  const outer = join(temporaryFolder(t), 'outer')
  mkdirSync(outer)
  const { TMPDIR: before } = process.env
  const { write } = process.stderr
  const said: string[] = []
  await t.test('the one that has it', (inner) => {
    cleanUp(inner, () => {
      process.stderr.write = write
    })
    process.env.TMPDIR = outer
    temporaryFolder(inner)
    process.env.TMPDIR = before
    if (before === undefined) delete process.env.TMPDIR
    // What it lies in is no folder any more.
    rmSync(outer, { recursive: true })
    writeFileSync(outer, '')
    process.stderr.write = (text: string | Uint8Array) => said.push(String(text)) > 0
  })
  assert.equal(said.length, 1)
  assert.match(said[0] ?? '', /^a test's folder is left: ENOTDIR: .*outer.*\n$/)
})
