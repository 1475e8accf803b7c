import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { PolicyDoc } from '../store/documents.js'
import { holds, mayActOn, notHeld, policiesByKey } from './rbac.js'

const policy = (permissionKey: string, more: Partial<PolicyDoc> = {}): PolicyDoc => ({
  permissionKey,
  self: false,
  k8sNamespace: '',
  policyNamespace: '',
  ...more,
})
const own = (...policies: PolicyDoc[]) => policiesByKey([{ policies }])

test('1.3, 1.5 of two roles that grant the same, either counts, in whatever order they come', () => {
  const onlySelf = { policies: [policy('user.password.reset', { self: true })] }
  const all = { policies: [policy('user.password.reset')] }
  for (const roles of [
    [onlySelf, all],
    [all, onlySelf],
  ]) {
    const granted = policiesByKey(roles).get('user.password.reset') ?? []
    assert.equal(granted.length, 2)
    assert.equal(mayActOn(granted, 'me', 'somebody'), true)
  }
  const granted = policiesByKey([onlySelf]).get('user.password.reset') ?? []
  assert.equal(mayActOn(granted, 'me', 'somebody'), false)
  assert.equal(mayActOn(granted, 'me', 'me'), true)
  assert.equal(mayActOn([], 'me', 'me'), false)
})

test('M11 what is held covers the same and the narrower, never the wider or another', () => {
  const table: [held: PolicyDoc, wanted: PolicyDoc, covered: boolean][] = [
    [policy('a'), policy('a'), true],
    [policy('a'), policy('b'), false],
    [policy('a'), policy('a', { self: true }), true],
    [policy('a', { self: true }), policy('a'), false],
    [policy('a', { self: true }), policy('a', { self: true }), true],
    [policy('a'), policy('a', { k8sNamespace: 'shop' }), true],
    [policy('a', { k8sNamespace: 'shop' }), policy('a', { k8sNamespace: 'shop' }), true],
    [policy('a', { k8sNamespace: 'shop' }), policy('a', { k8sNamespace: 'bank' }), false],
    [policy('a', { k8sNamespace: 'shop' }), policy('a'), false],
    [policy('a', { policyNamespace: 'team' }), policy('a'), false],
    [policy('a', { policyNamespace: 'team' }), policy('a', { policyNamespace: 'team', k8sNamespace: 'shop' }), true],
  ]
  for (const [held, wanted, covered] of table)
    assert.equal(holds(own(held), wanted), covered, JSON.stringify({ held, wanted }))
})

const anyPolicy = fc.record({
  permissionKey: fc.constantFrom('a', 'b'),
  self: fc.boolean(),
  k8sNamespace: fc.constantFrom('', 'shop', 'bank'),
  policyNamespace: fc.constantFrom('', 'team'),
})

test('M11 law: handing on what one holds never lets anybody do what the giver cannot', () => {
  fc.assert(
    fc.property(fc.array(anyPolicy), fc.array(anyPolicy), anyPolicy, (giver, handedOn, act) => {
      fc.pre(notHeld(own(...giver), handedOn).length === 0)
      if (holds(own(...handedOn), act)) assert.ok(holds(own(...giver), act))
    }),
  )
})
