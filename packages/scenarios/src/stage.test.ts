import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryFolder } from '@bulkhead/testing'
import { runScenarios } from './runner.js'
import { fakeTarget } from './testing/fake-target.js'
import * as sample from './testing/samples.js'
import type { Change, Observation, Scenario, Target } from './types.js'

const without = ['AuthorizationPolicy/shop/web-api-rbac']
const given: Scenario = { ...sample.attack, given: { without } }

describe('what stands while a scenario runs', () => {
  it('is applied before and withdrawn after, and the control is made without it', async () => {
    const target = fakeTarget()
    const { results } = await runScenarios(target, [given], { root: '/nowhere' })
    assert.equal(results[0]?.status, 'as-expected')
    assert.deepEqual(target.calls, [
      'attempt shop/sleep',
      'apply notsleep-to-web-api.given',
      'predict shop/notsleep',
      'attempt shop/notsleep',
      'withdraw notsleep-to-web-api.given',
      'attempt shop/sleep',
    ])
  })

  it('is one change for each manifest, with its own text and file', async (t) => {
    const root = temporaryFolder(t)
    await writeFile(join(root, 'a.yaml'), 'kind: A')
    await writeFile(join(root, 'b.yaml'), 'kind: B')
    const changes: Change[] = []
    const target = fakeTarget({ apply: async (_, change) => void changes.push(change) })
    await runScenarios(target, [{ ...given, given: { manifests: ['a.yaml', 'b.yaml'], without } }], { root })
    assert.deepEqual(changes, [
      { objects: 'kind: A', file: 'a.yaml', without },
      { objects: 'kind: B', file: 'b.yaml' },
    ])
    assert.deepEqual([...target.standing], [])
  })

  const failures: readonly { name: string; options: Parameters<typeof fakeTarget>[0]; says: RegExp }[] = [
    {
      name: 'when the attempt fails',
      options: {
        attempt: async (from) => {
          if (from === 'shop/sleep') return sample.through()
          throw new Error('no probe')
        },
      },
      says: /no probe/,
    },
    {
      name: 'when the engine fails',
      options: { predict: () => Promise.reject(new Error('no flow')) },
      says: /no flow/,
    },
  ]
  for (const { name, options, says } of failures) {
    it(`is withdrawn ${name}`, async () => {
      const target = fakeTarget(options)
      const { results } = await runScenarios(target, [given], { root: '/nowhere' })
      assert.equal(results[0]?.status, 'not-observed')
      assert.match(results[0]?.because ?? '', says)
      assert.deepEqual([...target.standing], [])
      assert.ok(target.calls.includes('withdraw notsleep-to-web-api.given'))
    })
  }

  it('is withdrawn when the run is aborted', async () => {
    const stop = new AbortController()
    const target = fakeTarget({
      attempt: async (from) => {
        if (from === 'shop/sleep') return sample.through()
        stop.abort(new Error('Ctrl-C'))
        throw stop.signal.reason
      },
    })
    await assert.rejects(runScenarios(target, [given], { root: '/nowhere', signal: stop.signal }), /Ctrl-C/)
    assert.deepEqual([...target.standing], [])
    assert.ok(target.calls.includes('withdraw notsleep-to-web-api.given'))
  })

  it('was never there when the second of its changes is refused', async (t) => {
    const root = temporaryFolder(t)
    await writeFile(join(root, 'a.yaml'), '')
    await writeFile(join(root, 'b.yaml'), '')
    const target = fakeTarget({
      apply: async (name) => {
        if (name.endsWith('.1')) throw new Error('the object is malformed')
      },
    })
    const scenario = { ...given, given: { manifests: ['a.yaml', 'b.yaml'] } }
    const { results } = await runScenarios(target, [scenario], { root })
    assert.match(results[0]?.because ?? '', /malformed/)
    assert.deepEqual([...target.standing], [])
    assert.ok(!target.calls.includes('attempt shop/notsleep'))
  })

  it('fails the scenario when it cannot be withdrawn, and proves nothing of those that follow', async (t) => {
    const root = temporaryFolder(t)
    await writeFile(join(root, 'a.yaml'), '')
    await writeFile(join(root, 'b.yaml'), '')
    const target = fakeTarget({ withdraw: () => Promise.reject(new Error('the target is gone')) })
    const scenario = { ...given, given: { manifests: ['a.yaml', 'b.yaml'] } }
    // What stands can leave a layer half there, which is then off.
    const layers = async () => (await target.layers()).map((one) => ({ ...one, on: target.standing.size === 0 }))
    const { results } = await runScenarios({ ...target, layers }, [scenario, { ...given, id: 'next' }], { root })
    const [first, next] = results
    assert.deepEqual([first?.notes, next?.notes], [undefined, undefined], 'nobody else has switched it')
    assert.equal(first?.status, 'not-observed')
    assert.match(
      first?.because ?? '',
      /"notsleep-to-web-api.given.1" could not be taken back: the target is gone; .*given"/,
    )
    assert.equal(next?.status, 'not-observed')
    assert.match(next?.because ?? '', /^what is in force is not known: .*could not be taken back/)
    assert.ok(!target.calls.includes('apply next.given'))
    assert.equal(target.calls.filter((call) => call.startsWith('withdraw')).length, 2, 'each of the two was tried')
  })

  it('is told of, when it cannot be withdrawn, even to whoever stopped the run', async () => {
    const stop = new AbortController()
    const target = fakeTarget({
      attempt: async (from) => {
        if (from === 'shop/notsleep') stop.abort(new Error('Ctrl-C'))
        return sample.through()
      },
      withdraw: () => Promise.reject(new Error('the target is gone')),
    })
    const run = runScenarios(target, [given], { root: '/nowhere', signal: stop.signal })
    await assert.rejects(run, /could not be taken back: the target is gone/)
  })

  it('runs alone, after those that change nothing', async () => {
    const target = fakeTarget()
    const plain = { ...sample.attack, id: 'plain' }
    await runScenarios(target, [given, plain, { ...given, id: 'other' }], { root: '/nowhere' })
    const changing = target.calls.filter((call) => /^(apply|withdraw)/.test(call))
    assert.deepEqual(changing, [
      'apply notsleep-to-web-api.given',
      'withdraw notsleep-to-web-api.given',
      'apply other.given',
      'withdraw other.given',
    ])
    assert.ok(target.calls.indexOf('attempt shop/notsleep') < target.calls.indexOf('apply notsleep-to-web-api.given'))
  })
})

describe('a policy that changes under an open connection', () => {
  const held: Scenario = { ...sample.attack, attempt: { ...sample.attack.attempt, hold: true }, change: { without } }
  const closed: Observation = { ...sample.served(), symptom: 'reset', phase: 'held' }
  const change = 'notsleep-to-web-api.change'

  /** An attempt that is answered, and then ends as given. */
  function opened(observation: Observation, flag: 'POLICY_CHANGE' | 'DENY'): Target['attempt'] {
    return async (from, _, how) => {
      if (from === 'shop/sleep') return sample.through()
      await how?.held?.()
      return { observation, flows: [sample.record({ flag })] }
    }
  }

  it('closes it, and stands only as long as the attempt', async () => {
    const target = fakeTarget({ attempt: opened(closed, 'POLICY_CHANGE') })
    const { results } = await runScenarios(target, [held], { root: '/nowhere' })
    assert.deepEqual(results[0]?.differences, [])
    assert.equal(results[0]?.status, 'as-expected')
    assert.deepEqual(target.calls, [
      'attempt shop/sleep',
      'attempt shop/notsleep',
      `apply ${change}`,
      'predict shop/notsleep',
      `withdraw ${change}`,
      'attempt shop/sleep',
    ])
  })

  it('must be what closed it', async () => {
    const target = fakeTarget({ attempt: opened(closed, 'DENY') })
    const { results } = await runScenarios(target, [held], { root: '/nowhere' })
    assert.match(results[0]?.differences.join() ?? '', /expected the flag POLICY_CHANGE, observed DENY/)
  })

  it('must have found it open', async () => {
    const target = fakeTarget({ attempt: async (from) => (from === 'shop/sleep' ? sample.through() : sample.stopped) })
    const { results } = await runScenarios(target, [held], { root: '/nowhere' })
    assert.match(results[0]?.differences.join() ?? '', /it was never open/)
    assert.ok(!target.calls.includes(`apply ${change}`))
  })

  it('tells nothing when the connection was over before it was in force', async () => {
    let letGo = (): void => {}
    const target = fakeTarget({
      apply: () => new Promise((resolve) => (letGo = resolve)),
      attempt: async (from, _, how) => {
        if (from === 'shop/sleep') return sample.through()
        void how?.held?.()
        setImmediate(() => setImmediate(letGo))
        return sample.through({ ...sample.served(), phase: 'held' })
      },
    })
    const { results } = await runScenarios(target, [held], { root: '/nowhere' })
    assert.equal(results[0]?.status, 'not-observed')
    assert.match(results[0]?.because ?? '', /before the change was in force/)
    assert.deepEqual([...target.standing], [])
  })

  it('is reported when it could not be made', async () => {
    const target = fakeTarget({
      apply: () => Promise.reject(new Error('refused')),
      attempt: opened({ ...closed, symptom: 'ok' }, 'POLICY_CHANGE'),
    })
    const { results } = await runScenarios(target, [held], { root: '/nowhere' })
    assert.equal(results[0]?.status, 'not-observed')
    assert.match(results[0]?.because ?? '', /refused/)
  })
})
