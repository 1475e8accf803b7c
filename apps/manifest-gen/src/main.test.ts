import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Child, ENOUGH, load, underLoad } from '@bulkhead/service-kit/testing'
import { readGeneratorConfig } from './config.js'
import { IMAGES } from './testing/app.js'

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url))

const start = (t: TestContext, env: Record<string, string> = {}): Child =>
  new Child(t, MAIN, { LISTEN_ADDR: '127.0.0.1:0', ALLOWED_IMAGES: IMAGES, SHUTDOWN_DELAY: '100ms', ...env })

test('SIGTERM under load: what was taken in is answered, and the process ends with 0', async (t) => {
  const child = start(t)
  const port = await child.port()
  assert.equal((await fetch(`http://127.0.0.1:${port}/readyz`)).status, 200)
  const asked = underLoad(() => child.process.kill('SIGTERM'))
  const sent = await load(port, 4, '/', ({ close }) => {
    asked()
    return !close
  })
  assert.equal(await child.exited, 0)
  assert.ok(sent.length >= ENOUGH)
  assert.deepEqual(
    sent.filter(({ result }) => result !== 'answered'),
    [],
  )
  assert.equal(child.lines.at(-1)?.msg, 'stopped')
})

test('a configuration that cannot be ends with 78 and a sentence', async (t) => {
  for (const [images, sentence] of [
    ['', 'invalid env var ALLOWED_IMAGES (it is not set, and it has no default)\n'],
    [' , ', 'invalid env var ALLOWED_IMAGES=" , " (it must name at least one image)\n'],
    ['a, B c', 'invalid env var ALLOWED_IMAGES="a, B c" ("B c" is no image’s name)\n'],
  ] as const) {
    const child = start(t, { ALLOWED_IMAGES: images })
    assert.equal(await child.exited, 78)
    assert.equal(child.stderr, sentence)
  }
})

test('defaults: every address, port 8080', () => {
  const { values } = readGeneratorConfig({ ALLOWED_IMAGES: 'a , b/c:1' })
  assert.deepEqual(values.LISTEN_ADDR, { host: '0.0.0.0', port: 8080 })
  assert.deepEqual(values.ALLOWED_IMAGES, ['a', 'b/c:1'])
})
