import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import fs, { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { cleanUp } from '@bulkhead/testing'
import { LockedError, locked } from './lock.js'
import { temporaryPlace } from './plan/testing.js'

test('one at a time: the second is told who, and the next finds it free however the first ended', async (t) => {
  const place = temporaryPlace(t)
  const second = () => locked(place, async () => 'done')
  let end = (): void => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const first = locked(place, () => ended)
  const told = (error: unknown) => error instanceof LockedError && error.message.includes(`process ${process.pid} `)
  await assert.rejects(second(), told)
  end()
  await first
  await assert.rejects(
    locked(place, () => Promise.reject(new Error('no'))),
    /^Error: no$/,
  )
  assert.equal(await second(), 'done')
  assert.ok(!existsSync(place.lock))
})

test('what its holder does within it may ask for it again, and so may who was started by it', async (t) => {
  const place = temporaryPlace(t)
  const script = `
    const { locked } = await import(${JSON.stringify(new URL('lock.js', import.meta.url).href)})
    const place = ${JSON.stringify(place)}
    process.stdout.write(await locked(place, () => locked(place, async () => 'inside')))`
  const said = await locked(place, async () => {
    assert.equal(await locked(place, async () => 'again'), 'again')
    return (await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])).stdout
  })
  assert.equal(said, 'inside')
  assert.ok(!existsSync(place.lock))
  // The child of another one is nobody: the process that has started this one's parent holds it not for it.
  await locked(place, async () => {
    const nested = `
      const { spawnSync } = await import('node:child_process')
      const { stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', ${JSON.stringify(script)}])
      process.stdout.write(stderr)`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', nested])
    assert.match(stdout, new RegExp(`LockedError: process ${process.pid} is at it already`))
    assert.ok(existsSync(place.lock), 'it is still its holder s')
  })
})

test('a folder that cannot be written is said in a sentence', async (t) => {
  const { folder } = temporaryPlace(t)
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}/file`, '')
  await assert.rejects(
    locked({ lock: `${folder}/file/lock` }, async () => 'done'),
    {
      message:
        /^".*\/file" cannot be written \(E\w+: .*\)\. Make it writable, or name another: a cluster's with --state DIR/,
    },
  )
})

test('on a memory stick, whose file system has no links, that is said, and nothing is left', async (t) => {
  const place = temporaryPlace(t)
  const denied = Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' })
  const { mock } = t.mock.method(fs, 'linkSync', () => {
    throw denied
  })
  syncBuiltinESMExports()
  cleanUp(t, () => {
    mock.restore()
    syncBuiltinESMExports()
  })
  await assert.rejects(
    locked(place, async () => assert.fail('nobody holds it')),
    /file system that has no links, .*EPERM.*copy what is to go elsewhere/,
  )
  assert.deepEqual(readdirSync(place.folder), [])
})

test('who was killed, or never was, holds nothing', async (t) => {
  const place = temporaryPlace(t)
  mkdirSync(place.folder, { recursive: true })
  const gone = spawnSync(process.execPath, ['--version']).pid
  for (const text of [String(gone), '', 'nobody', '-1']) {
    writeFileSync(place.lock, text)
    assert.equal(await locked(place, async () => 'done'), 'done', text)
  }
})

/** Takes the lock again and again; what is done in it nobody else may do meanwhile. Each leaves one as who is killed leaves it. */
const contender = (place: object, dead: number, marker: string): string => `
  import { rmSync, writeFileSync } from 'node:fs'
  import { setImmediate as turn } from 'node:timers/promises'
  const { LockedError, locked } = await import(${JSON.stringify(new URL('lock.js', import.meta.url).href)})
  const place = ${JSON.stringify(place)}
  for (let left = 60; left > 0; ) {
    try {
      await locked(place, async () => {
        writeFileSync(${JSON.stringify(marker)}, '', { flag: 'wx' })
        await turn()
        rmSync(${JSON.stringify(marker)})
        left -= 1
      })
      try {
        writeFileSync(place.lock, '${dead}', { flag: 'wx' })
      } catch (error) {
        // Another has it by now.
        if (error.code !== 'EEXIST') throw error
      }
    } catch (error) {
      if (!(error instanceof LockedError)) throw error
      await turn()
    }
  }`

test('of several who find what a dead one has left, one at a time has it', async (t) => {
  const place = temporaryPlace(t)
  mkdirSync(place.folder, { recursive: true })
  const dead = spawnSync(process.execPath, ['--version']).pid
  const script = contender(place, dead, `${place.folder}/inside`)
  const run = promisify(execFile)
  const options = { timeout: 50_000 }
  const all = Array.from({ length: 4 }, () => run(process.execPath, ['--input-type=module', '--eval', script], options))
  for (const one of await Promise.all(all)) assert.equal(one.stderr, '')
})
