import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Controls } from './control.js'
import { runScenarios } from './runner.js'
import { type FakeOptions, fakeTarget, runOne } from './testing/fake-target.js'
import * as sample from './testing/samples.js'
import type { Evidence } from './types.js'

const root = '/nowhere'

describe('a scenario that could not be observed', () => {
  const cases: readonly { name: string; options: FakeOptions; says: RegExp }[] = [
    {
      name: 'the control is denied',
      options: { attempt: async () => sample.stopped },
      says: /its control, shop\/sleep, was not served \(it saw a connection that opened and was closed without a byte\) before/,
    },
    {
      name: 'the control is answered an error',
      options: {
        attempt: async (from) => (from === 'shop/sleep' ? sample.through(sample.served('', 503)) : sample.stopped),
      },
      says: /its control, shop\/sleep, was answered 503 before/,
    },
    {
      name: 'the control cannot be made',
      options: {
        attempt: async (from) => {
          if (from === 'shop/sleep') throw new Error('no such pod')
          return sample.stopped
        },
      },
      says: /its control, shop\/sleep, could not be made before the attempt: no such pod/,
    },
    {
      name: 'the attempt cannot be made',
      options: { attempt: () => Promise.reject(new Error('the probe did not start')) },
      says: /the probe did not start/,
    },
    {
      name: 'the engine does not know it',
      options: { predict: () => Promise.reject(new Error('there is no Service "shop/web-api"')) },
      says: /there is no Service/,
    },
  ]
  for (const { name, options, says } of cases) {
    it(name, async () => {
      const result = await runOne(sample.attack, options)
      assert.equal(result.status, 'not-observed')
      assert.match(result.because ?? '', says)
    })
  }

  it('has a service that went down in the meantime', async () => {
    let served = 0
    const result = await runOne(sample.attack, {
      attempt: async (from) => (from === 'shop/sleep' && served++ === 0 ? sample.through() : sample.stopped),
    })
    assert.equal(result.status, 'not-observed')
    assert.match(result.because ?? '', /its control, shop\/sleep, was not served .* after the attempt/)
  })

  it('is not even attempted when nobody is served before', async () => {
    const target = fakeTarget({ attempt: async () => sample.stopped })
    await runScenarios(target, [sample.attack], { root })
    assert.deepEqual(target.calls, ['attempt shop/sleep'])
  })

  it('is skipped, and says so, when it is for another target', async () => {
    const target = fakeTarget({ name: 'kind' })
    const { results } = await runScenarios(target, [{ ...sample.attack, only: 'local' }], { root })
    assert.equal(results[0]?.status, 'skipped')
    assert.match(results[0]?.because ?? '', /local target only/)
    assert.deepEqual(target.calls, [])
  })

  it('asks of a control what its client saw, and of the attack who stopped it', async () => {
    const asked: string[] = []
    await runOne(sample.attack, {
      attempt: async (from, _, how) => {
        asked.push(`${from} ${how?.records ?? 'all'}`)
        return from === 'shop/sleep' ? sample.through() : sample.stopped
      },
    })
    assert.deepEqual(asked, ['shop/sleep none', 'shop/notsleep all', 'shop/sleep none'])
  })

  it('makes a control after each attack, which serves as the one before the next', async () => {
    const target = fakeTarget()
    const scenarios = ['a', 'b', 'c'].map((id) => ({ ...sample.attack, id }))
    await runScenarios(target, scenarios, { root, parallel: 1 })
    const attempts = target.calls.filter((call) => call.startsWith('attempt')).map((call) => call.split('/')[1])
    assert.deepEqual(attempts, ['sleep', 'notsleep', 'sleep', 'notsleep', 'sleep', 'notsleep', 'sleep'])
  })
})

describe('controls that are asked for at the same time', () => {
  it('are shared by those who ask while one is under way, and never begin before they are asked for', async () => {
    const ends: ((evidence: Evidence) => void)[] = []
    const target = fakeTarget({ attempt: () => new Promise((resolve) => ends.push(resolve)) })
    const controls = new Controls(target)
    const call = sample.attack.control
    assert.ok(call)
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
    const first = controls.after(call)
    const others = [controls.after(call), controls.after(call)]
    await turn()
    assert.equal(ends.length, 1, 'the one under way began before the others were asked for')
    ends[0]?.(sample.through())
    await first
    await turn()
    assert.equal(ends.length, 2, 'one for both of them')
    ends[1]?.(sample.stopped)
    for (const control of await Promise.all(others)) assert.match(control.failed ?? '', /was not served/)
    void controls.after(call)
    await turn()
    assert.equal(ends.length, 3, 'and whoever asks later has another')
  })

  it("before attacks are one for all who wait for it; one that failed is nobody else's", async () => {
    const ends: ((evidence: Evidence) => void)[] = []
    const target = fakeTarget({ attempt: () => new Promise((resolve) => ends.push(resolve)) })
    const controls = new Controls(target)
    const call = sample.attack.control
    assert.ok(call)
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
    const waiting = [controls.before(call), controls.before(call)]
    await turn()
    assert.equal(ends.length, 1)
    ends[0]?.(sample.stopped)
    for (const control of await Promise.all(waiting)) assert.match(control.failed ?? '', /before the attempt/)
    const again = controls.before(call)
    await turn()
    assert.equal(ends.length, 2)
    ends[1]?.(sample.through())
    assert.equal((await again).failed, undefined)
    assert.equal((await controls.before(call)).failed, undefined)
    assert.equal(ends.length, 2, 'one that was served a moment ago serves')
  })
})
