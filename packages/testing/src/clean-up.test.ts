import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { cleanUp, type Scope, wholeSuite } from './clean-up.js'

/** A test that is over when it is told so, as Node does it: what was registered first is done first, up to one that fails. */
function scope(): Scope & { over(): Promise<void>; readonly registered: () => number } {
  const hooks: (() => unknown)[] = []
  return {
    after: (work) => void hooks.push(work),
    registered: () => hooks.length,
    over: async () => {
      for (const hook of hooks.splice(0)) await hook()
    },
  }
}

const failing = (message: string) => (): never => {
  throw new Error(message)
}

describe('clean-ups', () => {
  it('the last is done first, each when the one before it is over', async () => {
    const t = scope()
    const done: string[] = []
    cleanUp(t, () => done.push('the folder'))
    cleanUp(t, async () => {
      done.push('the server is told')
      await new Promise((resolve) => setImmediate(resolve))
      done.push('the server is over')
    })
    assert.deepEqual(done, [])
    assert.equal(t.registered(), 1, 'one hook for all, so that no other order comes between')
    await t.over()
    assert.deepEqual(done, ['the server is told', 'the server is over', 'the folder'])
  })

  it('one that fails keeps no other from being done, and is what the test fails with', async () => {
    const t = scope()
    const done: string[] = []
    cleanUp(t, () => done.push('first'))
    cleanUp(t, failing('in the middle'))
    cleanUp(t, () => done.push('last'))
    await assert.rejects(t.over(), { message: 'in the middle' })
    assert.deepEqual(done, ['last', 'first'])
  })

  it('of several that fail each is told', async () => {
    const t = scope()
    cleanUp(t, () => Promise.reject('no error'))
    cleanUp(t, failing('the other'))
    await assert.rejects(t.over(), (error: AggregateError) => {
      assert.equal(error.message, '2 clean-ups failed: the other; no error')
      assert.equal(error.errors.length, 2)
      return true
    })
  })

  it('what is registered while it cleans up is done, too', async () => {
    const t = scope()
    const done: string[] = []
    cleanUp(t, () => done.push('first'))
    cleanUp(t, () => cleanUp(t, () => done.push('late')))
    await t.over()
    assert.deepEqual(done, ['late', 'first'])
    cleanUp(t, () => done.push('another round'))
    await t.over()
    assert.equal(done.at(-1), 'another round')
  })

  it("each has its own: one test's are none of another's", async () => {
    const [one, other] = [scope(), scope()]
    const done: string[] = []
    cleanUp(one, () => done.push('one'))
    cleanUp(other, () => done.push('other'))
    await one.over()
    assert.deepEqual(done, ['one'])
  })
})

test("Node's own tests and suites, which do them when they end", async (t) => {
  const done: string[] = []
  await t.test('a test', (inner) => {
    cleanUp(inner, () => done.push('its first'))
    cleanUp(inner, () => done.push('its last'))
  })
  assert.deepEqual(done.splice(0), ['its last', 'its first'])
})

const seen: string[] = []
describe('a suite', () => {
  const suite = wholeSuite()
  cleanUp(suite, () => seen.push('the first of all'))

  it('has a test that cleans up for all', () => {
    cleanUp(suite, () => seen.push('by a test'))
  })

  it('is not over with that test', () => assert.deepEqual(seen, []))
})

test('a suite cleans up once, after its last test', () => assert.deepEqual(seen, ['by a test', 'the first of all']))
