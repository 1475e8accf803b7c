import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Wall } from './types.js'
import { expected, missing, placeOf } from './walls.js'

const wall = (layer: string, when?: Wall['when']): Wall => ({
  layer,
  symptom: 'reset',
  code: 'authz.no-rule-allows',
  ...(when === undefined ? {} : { when }),
})

describe('what must happen', () => {
  const cases: readonly (readonly [
    name: string,
    walls: readonly Wall[],
    on: readonly string[],
    by: string | undefined,
  ])[] = [
    ['no wall: it gets through', [], ['40', '50'], undefined],
    ['no wall is on: it gets through', [wall('40'), wall('50')], ['20'], undefined],
    ['the first that is on decides', [wall('40'), wall('50')], ['50', '40'], '40'],
    ['the next, when the first is off', [wall('40'), wall('50')], ['50'], '50'],
    ['a wall that is always on', [wall('40'), wall('mesh')], [], 'mesh'],
    ['one that needs another which is off', [wall('40', { on: ['20'] }), wall('50')], ['40', '50'], '50'],
    ['one that needs another which is on', [wall('40', { on: ['20'] }), wall('50')], ['20', '40', '50'], '40'],
    ['one that needs another to be off', [wall('40', { off: ['20'] }), wall('50')], ['20', '40', '50'], '50'],
    ['always on, but not while another is on', [wall('mesh', { off: ['20'] })], ['20'], undefined],
  ]
  for (const [name, walls, on, by] of cases) {
    it(name, () => {
      const result = expected({ expect: { walls, through: {} } }, new Set(on))
      assert.equal(result.outcome === 'stopped' ? result.wall.layer : undefined, by)
    })
  }

  it('is a redirect where that is what arrives', () => {
    const symptomOf = (status: number): string | undefined => {
      const result = expected({ expect: { walls: [], through: { status } } }, new Set())
      return result.outcome === 'through' ? result.symptom : undefined
    }
    assert.deepEqual([200, 299, 300, 301, 399, 404].map(symptomOf), [
      'ok',
      'ok',
      'redirected',
      'redirected',
      'redirected',
      'ok',
    ])
  })
})

describe('the order of the way', () => {
  it('has the front door first for whoever comes from outside, and free for who is in the cluster', () => {
    const places = ['70-ingress', '40-mtls', '50-identity'].map((layer) => placeOf(layer, 'outside') ?? Number.NaN)
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
    )
    // One set to the CNI: a deny of the second decides before a default deny of the first.
    assert.equal(placeOf('20-network', 'shop/notsleep'), placeOf('30-cilium', 'shop/notsleep'))
    assert.equal(placeOf('70-ingress', 'shop/notsleep'), undefined)
    assert.equal(placeOf('60-requests', 'outside'), undefined)
  })
})

describe('what is missing', () => {
  it('is what a scenario needs and what is off', () => {
    assert.deepEqual(missing({}, new Set()), [])
    assert.deepEqual(missing({ needs: ['70', '50'] }, new Set(['50'])), ['70'])
    assert.deepEqual(missing({ needs: ['70', '50'] }, new Set(['50', '70'])), [])
  })
})
