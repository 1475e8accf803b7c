import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Report, ScenarioResult } from '@bulkhead/scenarios'
import { nextStep } from './attack.js'

const layers = (identity: boolean): Report['layers'] => [
  { name: '40-mtls', on: true, objects: 1 },
  { name: '50-identity', on: identity, objects: 4 },
]
const stoppedBy = (layer: string, needs?: readonly string[]) =>
  ({
    scenario: needs === undefined ? {} : { needs },
    observed: { outcome: 'stopped', symptom: 'reset', reason: { code: 'c', layer, policies: [] } },
  }) as unknown as ScenarioResult

test('after attacks that were stopped: the last wall of those that stopped one', () => {
  const results = [stoppedBy('50-identity'), stoppedBy('40-mtls'), stoppedBy('mesh')]
  assert.equal(
    nextStep({ layers: layers(true), results }, {}),
    'See what 50-identity is for: npx bulkhead layer off 50-identity, then attack again.',
  )
  assert.equal(
    nextStep({ layers: layers(true), results: results.slice(1) }, { state: 'my state' }),
    "See what 40-mtls is for: npx bulkhead layer off 40-mtls --state 'my state', then attack again.",
  )
})

test('no wall is proposed without which its attacks cannot be tried', () => {
  const door = { name: '70-ingress', on: true, objects: 4 }
  const results = [stoppedBy('70-ingress', ['70-ingress']), stoppedBy('50-identity', ['70-ingress'])]
  const next = (list: readonly ScenarioResult[]) => nextStep({ layers: [...layers(true), door], results: list }, {})
  assert.match(next(results) ?? '', /^See what 50-identity is for/)
  assert.equal(next(results.slice(0, 1)), undefined)
})

test('with a wall down: how to put it back', () => {
  const report = { layers: layers(false), results: [stoppedBy('40-mtls')] }
  assert.equal(nextStep(report, {}), 'Put 50-identity back: npx bulkhead layer on 50-identity')
})

test('where no wall that can be taken down stopped anything, nothing is proposed', () => {
  assert.equal(nextStep({ layers: layers(true), results: [stoppedBy('mesh')] }, {}), undefined)
})
