import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import supertest from 'supertest'
import { sharedManager } from '../testing/index.js'
import { readAssets } from './assets.js'

const manager = sharedManager()
/** Assets are no operations of the API. */
const asking = async () => supertest((await manager()).service.server)

test('the page: kept by nobody, framed by nobody, and nothing runs in it but its own modules', async () => {
  const agent = await asking()
  const { headers, text } = await agent.get('/').expect(200)
  assert.equal(headers['content-type'], 'text/html; charset=utf-8')
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(headers['referrer-policy'], 'same-origin')
  assert.equal(headers['cross-origin-opener-policy'], 'same-origin')
  const policy = new Map(
    String(headers['content-security-policy'])
      .split('; ')
      .map((part) => [part.split(' ', 1)[0], part] as const),
  )
  const [, map = ''] = /<script type="importmap">([^<]*)<\/script>/.exec(text) ?? []
  const digest = createHash('sha256').update(map).digest('base64')
  assert.equal(policy.get('default-src'), "default-src 'none'")
  assert.equal(policy.get('script-src'), `script-src 'self' 'sha256-${digest}'`)
  assert.equal(policy.get('frame-ancestors'), "frame-ancestors 'none'")
  assert.equal(policy.get('trusted-types'), "trusted-types 'none'")
  assert.ok(![...policy.values()].some((part) => /unsafe|\*|https?:/.test(part)))
  assert.deepEqual(text.match(/<script(?! type="(importmap|module)")/g), null)
})

test('everything that the page names is served for ever under a name of its content, with its own type', async () => {
  const agent = await asking()
  const { text } = await agent.get('/').expect(200)
  const named = [...text.matchAll(/"(\/assets\/[^"]+)"/g)].map(([, path = '']) => path)
  const { all } = readAssets()
  assert.deepEqual([...new Set(named)].sort(), all.map(({ path }) => path).sort())
  assert.ok(named.length > 30)
  for (const { path, type, body } of all) {
    const { headers } = await agent.get(path).expect(200)
    assert.equal(headers['content-type'], type, path)
    assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.doesNotMatch(body, /sourceMappingURL/, path)
  }
  const bytes = all.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0)
  assert.ok(bytes < 250_000, `${bytes} bytes`)
})

test('M22 what is no path of the page or of the API stays 404 in the one envelope, whoever asks', async () => {
  const agent = await asking()
  const [{ path = '' } = {}] = readAssets().all
  for (const wrong of [
    '/index.html',
    '/strategies',
    '/assets',
    '/assets/',
    '/assets/x.js',
    `${path}.map`,
    '/api/v1',
    '//',
  ]) {
    const { body, headers } = await agent.get(wrong).set('accept', 'text/html').expect(404)
    assert.deepEqual([body.success, body.code], [false, 'NOT_FOUND'], wrong)
    assert.equal(headers['content-type'], 'application/json')
  }
  await agent.post('/').expect(405)
  assert.match((await agent.get('/metrics').expect(200)).text, /^# HELP /)
})
