import assert from 'node:assert/strict'
import { test } from 'node:test'
import { didYouMean, nearest, nearWords } from './suggest.js'

test('the nearest word is offered, and none when all are far', () => {
  const fields = ['ingress', 'egress', 'podSelector', 'policyTypes']
  assert.equal(nearest('ingres', fields), 'ingress')
  assert.equal(nearest('igress', fields), 'ingress')
  assert.equal(nearest('podselector', fields), 'podSelector')
  assert.equal(nearest('policyTpyes', fields), 'policyTypes')
  assert.equal(nearest('banana', fields), undefined)
  assert.equal(nearest('x'.repeat(10_000), fields), undefined)
  assert.deepEqual(nearWords('ingress', ['egress', 'Ingress', 'ingres', 'banana']), ['Ingress', 'ingres', 'egress'])
  assert.equal(didYouMean('ingres', fields), '; did you mean "ingress"?')
  assert.equal(didYouMean('banana', fields), '')
})
