import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseYaml } from '@bulkhead/resources/yaml'
import { causeOf, knownCauses } from './causes.js'
import type { Platform } from './platform.js'

interface Said {
  readonly cause: string
  /** Words that the cause must have in it. */
  readonly has?: string
  readonly says: string
}

const file = join(import.meta.dirname, '../../fixtures/causes.yaml')
const said = (parseYaml(readFileSync(file, 'utf8')).documents[0]?.value ?? []) as readonly Said[]
const platforms: readonly Platform[] = ['linux', 'macos', 'wsl']

describe('what a tool says when it fails', () => {
  for (const { cause, has = '', says } of said) {
    it(`is ${cause}: ${says.slice(0, 90).replaceAll('\n', ' ')}`, () => {
      const found = causeOf(`Creating cluster "bulkhead" ...\n${says}\n`)
      assert.equal(found?.id, cause)
      assert.ok(found.cause.includes(has), found.cause)
      assert.ok(says.includes(found.line) && found.line !== '', found.line)
    })
  }

  it('has a text for each cause that is known, and each says what to do on each machine', () => {
    const ids = knownCauses.map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length)
    assert.deepEqual(ids.toSorted(), [...new Set(said.map(({ cause }) => cause))].toSorted())
    for (const { says } of said)
      for (const platform of platforms) {
        const { id, cause, remedy } = causeOf(says, platform) ?? assert.fail(says)
        assert.match(cause, /^\S.*\.$/s, id)
        assert.ok(remedy.length > 0, id)
        for (const line of remedy) assert.equal(line.split('`').length % 2, 1, `${id}: ${line}`)
      }
  })

  it('is no cause that is known when it is no failure of these', () => {
    for (const text of [
      '',
      'namespace/shop created\n',
      'Error from server (NotFound): pods "client" not found',
      'Set kubectl context to "kind-bulkhead"\n • Ensuring node image (kindest/node:v1.35.8) 🖼  ...\n ✓ Ensuring node image\n',
      'admission webhook "vpol.validate.kyverno.svc-fail" denied the request: Policy allowed-images failed',
      'exit status 1',
    ])
      assert.equal(causeOf(text), undefined, text)
  })

  it('is looked for at both ends of a text that goes on and on', () => {
    const noise = `${'127.0.0.1:30080 is served, lookup x on y '.repeat(20)}\n`.repeat(5_000)
    const full = 'write failed: no space left on device'
    for (const text of [`${full}\n${noise}`, `${noise}${full}`]) assert.equal(causeOf(text)?.line, full)
    assert.equal(causeOf(`${noise}${full}\n${noise}`), undefined)
  })
})
