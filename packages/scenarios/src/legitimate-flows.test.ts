import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { legitimateFlows } from './testing/legitimate-flows.js'
import { combinations, layers, snapshotWith, wrongWith } from './testing/repository.js'

describe('what is meant to work', () => {
  it('has six layers around it', () => {
    assert.deepEqual(layers, ['20-network', '30-cilium', '40-mtls', '50-identity', '60-requests', '70-ingress'])
  })

  for (const on of combinations) {
    it(`works with ${on.join(' and ') || 'no layer'} on`, () => {
      assert.deepEqual(wrongWith(on, snapshotWith(on)), [])
    })
  }

  it('works under a network plugin that follows NetworkPolicy to the letter, too', () => {
    for (const on of combinations.filter((some) => !some.includes('30-cilium'))) {
      assert.deepEqual(wrongWith(on, snapshotWith(on, { network: { reader: 'api' } })), [], on.join(' and '))
    }
  })

  it('is shut by a wall in which its door is, and by no other', () => {
    const doors = legitimateFlows.flatMap(({ shut }) => (shut === undefined ? [] : [`${shut.on} ${shut.off}`]))
    assert.deepEqual([...new Set(doors)], ['20-network 30-cilium'])
  })
})
