import assert from 'node:assert/strict'
import { test } from 'node:test'
import { coveredFilter, covers } from './limits.js'

const policy = (k8sNamespace: string, policyNamespace = '') => ({ k8sNamespace, policyNamespace })

test('contract M12: a policy without namespaces covers everything, none covers nothing', () => {
  assert.equal(covers([policy('')], 'team', []), true)
  assert.equal(covers([policy('')], '', ['a', 'b']), true)
  assert.equal(covers([], 'team', ['a']), false)
  assert.equal(covers([], '', []), false)
})

test('contract M12: one that is limited to a namespace of pods covers that one, and never all', () => {
  assert.equal(covers([policy('shop')], 'team', ['shop']), true)
  assert.equal(covers([policy('shop')], 'team', ['bank']), false)
  assert.equal(covers([policy('shop')], 'team', ['shop', 'bank']), false)
  assert.equal(covers([policy('shop')], 'team', []), false, 'no namespace is every namespace')
  assert.equal(covers([policy('shop'), policy('bank')], 'team', ['shop', 'bank']), true, 'policies add up')
})

test('contract M12: one that is limited to a namespace of strategies covers no other strategy', () => {
  assert.equal(covers([policy('', 'team')], 'team', []), true)
  assert.equal(covers([policy('', 'team')], 'other', ['shop']), false)
  assert.equal(covers([policy('', 'team')], '', ['shop']), false)
  const both = [policy('shop', 'team'), policy('bank')]
  assert.equal(covers(both, 'team', ['shop', 'bank']), true)
  assert.equal(covers(both, 'other', ['shop', 'bank']), false)
  assert.equal(covers(both, 'other', ['bank']), true)
})

test('what the database is asked for says the same', () => {
  assert.deepEqual(coveredFilter([policy('shop', 'team'), policy('')], 'strategies'), {})
  assert.deepEqual(coveredFilter([], 'intents'), { _id: { $in: [] } })
  assert.deepEqual(coveredFilter([policy('shop', 'team'), policy('bank')], 'intents'), {
    $or: [{ strategyNamespace: 'team', k8sNamespace: { $in: ['bank', 'shop'] } }, { k8sNamespace: { $in: ['bank'] } }],
  })
  assert.deepEqual(coveredFilter([policy('', 'team')], 'strategies'), { $or: [{ strategyNamespace: 'team' }] })
})
