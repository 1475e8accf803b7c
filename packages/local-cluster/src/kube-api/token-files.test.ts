import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually, temporaryFolder } from '@bulkhead/testing'
import { TokenFiles } from './token-files.js'
import type { BoundPod, TokenRequest } from './tokens.js'

const pod: BoundPod = { namespace: 'shop', name: 'web-1', uid: 'u', node: 'n', serviceAccount: 'web' }

/** Issues `1 audience`, `2 audience` ... which live for 100 ms. */
function issuer() {
  let n = 0
  return {
    count: () => n,
    issue: async (_pod: BoundPod, { audience = 'api' }: TokenRequest = {}) => {
      n += 1
      return { token: `${n} ${audience}`, issued: new Date(0), expires: new Date(100) }
    },
  }
}

test('each file has its token, is renewed before its time is over, and whole at any moment', async (t) => {
  const folder = temporaryFolder(t)
  const tokens = issuer()
  const files = new TokenFiles(tokens, assert.fail, 0.1)
  const file = join(folder, 'token')
  const other = join(folder, 'other')
  const stop = await files.keep(pod, [{ file }, { file: other, audience: 'db' }])
  assert.equal(readFileSync(file, 'utf8'), '1 api')
  assert.equal(readFileSync(other, 'utf8'), '2 db')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  const inode = statSync(file).ino
  await eventually('both are renewed', () => {
    assert.match(readFileSync(file, 'utf8'), /^\d+ api$/)
    return readFileSync(file, 'utf8') !== '1 api' && readFileSync(other, 'utf8') !== '2 db'
  })
  assert.notEqual(statSync(file).ino, inode, 'another file has taken its place')
  stop()
  const last = tokens.count()
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.ok(tokens.count() <= last, 'none is renewed after the end')
  assert.deepEqual(readdirSync(folder).sort(), ['other', 'token'])
})

test('a token that cannot be written keeps its pod from starting, and one that cannot be renewed is told', async (t) => {
  const folder = temporaryFolder(t)
  const told: string[] = []
  const files = new TokenFiles(issuer(), (text) => void told.push(text), 0.1)
  await assert.rejects(files.keep(pod, [{ file: join(folder, 'none', 'token') }]), /ENOENT/)
  mkdirSync(join(folder, 'gone'))
  const stop = await files.keep(pod, [{ file: join(folder, 'gone', 'token') }])
  rmSync(join(folder, 'gone'), { recursive: true })
  await eventually('it is told', () => told.length > 0)
  stop()
  assert.match(told[0] ?? '', /^the token of shop\/web-1 could not be renewed: Error: ENOENT/)
})
