import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FakeOptions, fakeTarget } from '../testing/fake-target.js'
import { attack, legitimate, through } from '../testing/samples.js'
import { peel } from './peel.js'
import { renderPeel } from './render.js'
import { HalfThere, type LayeredTarget, NotPutBack, peelOnTarget } from './run.js'

const names = ['40-mtls', '50-identity']
const root = '/nowhere'

interface Layered extends LayeredTarget {
  /** What was switched on, each time. */
  readonly switched: readonly string[]
}

/** A target that stops strangers while 50-identity is on. */
function layered(options: FakeOptions = {}, refuse: (on: readonly string[], time: number) => void = () => {}): Layered {
  let on = options.on ?? names
  const switched: string[] = []
  const now = () => fakeTarget({ ...options, on })
  return {
    name: 'local',
    switched,
    layers: () => now().layers(),
    predict: (flow) => now().predict(flow),
    admit: (change) => now().admit(change),
    attempt: (...args) => now().attempt(...args),
    apply: (...args) => now().apply(...args),
    withdraw: (name) => now().withdraw(name),
    async setLayers({ on: up = [], off: down = [] }) {
      for (const name of up) assert.ok(!on.includes(name), `${name} is on already`)
      for (const name of down) assert.ok(on.includes(name), `${name} is off already`)
      assert.ok(up.length + down.length > 0)
      const wanted = names.filter((name) => up.includes(name) || (on.includes(name) && !down.includes(name)))
      refuse(wanted, switched.length)
      on = wanted
      switched.push(on.join(' ') || 'none')
    },
  }
}

describe('peel, really run', () => {
  it('runs the suite in every setting, and puts the layers back', async () => {
    const target = layered({ on: ['50-identity'] })
    const told: string[] = []
    const peeled = await peelOnTarget(target, [attack, legitimate], {
      root,
      onSetting: ({ kind }, index, of) => told.push(`${kind} ${index} of ${of}`),
      onRestore: (before) => told.push(`back to ${before.filter(({ on }) => on).map(({ name }) => name)}`),
    })
    // With two layers, all but the second is the first alone; and the last is as it was before.
    assert.deepEqual(target.switched, ['40-mtls 50-identity', '50-identity', '40-mtls', '50-identity'])
    assert.deepEqual(told, [
      'all 0 of 5',
      'without 1 of 5',
      'without 2 of 5',
      'alone 3 of 5',
      'alone 4 of 5',
      'back to 50-identity',
    ])
    const { by, layers, findings } = peel(peeled, [attack, legitimate], true)
    assert.equal(by, 'local')
    assert.deepEqual(
      layers.map(({ layer, without }) => [layer, ...without.through]),
      [['40-mtls'], ['50-identity', attack.id]],
    )
    assert.deepEqual(findings, [{ kind: 'holds-nothing', layer: '40-mtls' }])
  })

  it('says of what it could not see that it is not known, and never that it was stopped', async () => {
    const target = layered({ attempt: () => Promise.reject(new Error('the probe did not start')) })
    const { findings, layers } = peel(await peelOnTarget(target, [attack], { root }), [attack], false)
    assert.deepEqual(new Set(findings.map(({ kind }) => kind)), new Set(['unknown']))
    assert.match(JSON.stringify(findings[0]), /the probe did not start/)
    assert.deepEqual(
      layers.map(({ decides }) => decides),
      [[], []],
    )
  })

  it('does not try what is about a layer that is off', async () => {
    const needing = { ...attack, needs: ['50-identity'] }
    const found = peel(await peelOnTarget(layered(), [needing], { root }), [needing], false)
    assert.deepEqual(found.layers[1]?.without.notTried, [attack.id])
    assert.deepEqual(found.findings, [])
  })

  it('finds nothing against a layer whose attacks the target cannot make', async () => {
    const nowhere = Object.assign(new Error('nobody answers there'), { code: 'not-makeable' })
    const attempt: FakeOptions['attempt'] = async (from) => {
      if (from === attack.from) throw nowhere
      return through()
    }
    const found = peel(await peelOnTarget(layered({ attempt }), [attack], { root }), [attack], true)
    assert.deepEqual(found.layers[1]?.unmade, [attack.id])
    assert.deepEqual(found.findings, [{ kind: 'holds-nothing', layer: '40-mtls' }])
    assert.match(renderPeel(found), /would show what it is for, and cannot be made here:\n {4}notsleep-to-web-api/)
  })

  it('puts the layers back when the target fails in the middle, and says what failed', async () => {
    let failed = false
    const target = layered({}, (on) => {
      if (failed || on.join() !== '40-mtls') return
      failed = true
      throw new Error('50-identity did not go')
    })
    await assert.rejects(peelOnTarget(target, [attack], { root }), /^Error: 50-identity did not go$/)
    assert.deepEqual(target.switched, ['50-identity', '40-mtls 50-identity'])
  })

  it('says what should be on when it cannot put them back, and what came before', async () => {
    const target = layered({}, (_, time) => {
      if (time === 1) throw new Error('it is gone')
    })
    await assert.rejects(peelOnTarget(target, [attack], { root }), (error: Error) => {
      assert.ok(error instanceof NotPutBack)
      assert.equal(
        error.message,
        'the layers could not be put back as they were (on: 40-mtls, 50-identity): it is gone. It had ended with: it is gone',
      )
      return true
    })
  })

  for (const [when, at] of [
    ['an attempt is under way', 'attempt'],
    ['a layer is being switched', 'switch'],
  ] as const) {
    it(`puts the layers back when it is interrupted while ${when}`, async () => {
      const controller = new AbortController()
      const target = layered(
        {
          on: ['40-mtls'],
          attempt: async () => {
            if (at === 'attempt') controller.abort('SIGINT')
            controller.signal.throwIfAborted()
            throw new Error('not reached')
          },
        },
        () => {
          if (at === 'switch') controller.abort('SIGINT')
        },
      )
      await assert.rejects(
        peelOnTarget(target, [attack], { root, signal: controller.signal }),
        (error) => error === 'SIGINT',
      )
      assert.deepEqual(target.switched, ['40-mtls 50-identity', '40-mtls'])
    })
  }

  it('switches nothing while a layer is half there, which could not be put back', async () => {
    const target = layered({ on: ['40-mtls'] })
    const half = { ...target, layers: async () => [{ name: '50-identity', on: false, objects: 3, missing: ['A/b/c'] }] }
    await assert.rejects(peelOnTarget(half, [attack], { root }), (error: Error) => {
      assert.ok(error instanceof HalfThere)
      assert.match(error.message, /^50-identity is half there \(1 of its 3 objects are missing\).*`npx bulkhead layer`/)
      return true
    })
    assert.deepEqual(target.switched, [])
  })

  it('takes away what is left of a layer that was off before, when the switch of it fails', async () => {
    const calls: unknown[] = []
    let now = { name: '50-identity', on: false, objects: 2, missing: ['A/b/c', 'A/b/d'] }
    const target: LayeredTarget = {
      ...layered(),
      layers: async () => [now],
      async setLayers(change) {
        calls.push(change)
        if (calls.length > 1) return
        now = { ...now, missing: ['A/b/c'] }
        throw new Error('the API server went away')
      },
    }
    await assert.rejects(peelOnTarget(target, [attack], { root }), /the API server went away/)
    assert.deepEqual(calls, [
      { on: ['50-identity'], off: [] },
      { on: [], off: ['50-identity'] },
    ])
  })

  it('switches nothing when it is interrupted before', async () => {
    const target = layered()
    const signal = AbortSignal.abort('SIGTERM')
    await assert.rejects(peelOnTarget(target, [attack], { root, signal }), (error) => error === 'SIGTERM')
    assert.deepEqual(target.switched, [])
  })
})
