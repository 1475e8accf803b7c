import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { renderHtml } from './render/html.js'
import { renderJson } from './render/json.js'
import { renderJunit } from './render/junit.js'
import { renderVerify, verifyPassed } from './render/verify.js'
import { expectedView, type Report, type ScenarioResult } from './result.js'
import { silentWitnesses } from './silent.js'
import { attack, reset } from './testing/samples.js'
import type { Sighting } from './types.js'
import { expected } from './walls.js'

const view = expectedView(expected(attack, new Set(['50-identity'])))
const said: Sighting = {
  ...{ by: 'ztunnel', at: '2026-01-01T00:00:00.000Z', outcome: 'deny', source: {}, destination: {} },
  ...{ code: 'authz.no-rule-allows', line: 'a line' },
}
/** Stopped as expected, and nobody says so. */
function stop(changes: Partial<ScenarioResult> = {}): ScenarioResult {
  const observed = { outcome: 'stopped', symptom: 'reset' } as const
  const head = { scenario: attack, status: 'as-expected', expected: view, observed, observation: reset } as const
  return { ...head, unwitnessed: true, differences: [], durationMs: 1, ...changes }
}
const of = (results: readonly ScenarioResult[], target: Report['target'] = 'kind'): Report => ({
  ...{ target, layers: [], results, durationMs: 1 },
})
const many = Array.from({ length: 3 }, () => stop())

describe('a kind of witness', () => {
  it('that was needed often and never heard makes a run fail, and what to look at is told', () => {
    const report = of(many)
    const [silent] = silentWitnesses(report)
    assert.deepEqual([silent?.by, silent?.attempts, silent?.unread], [['ztunnel'], 3, false])
    assert.equal(verifyPassed(report), false)
    const text = renderVerify(report)
    assert.match(text, /^NO WITNESS {2}ztunnel said nothing of 3 attempts /m)
    assert.match(text, /^ +look: its access log is off, .*ds\/ztunnel --tail 5$/m)
    assert.deepEqual(JSON.parse(renderJson(report)).silent[0].by, ['ztunnel'])
    assert.match(renderJunit(report), /tests="4" failures="1" .*\n(.*\n)*.*name="witness: ztunnel"/)
    assert.match(renderHtml(report), /<p class="summary bad">No witness: ztunnel said nothing/)
  })

  it('that was heard once, of whatever, is there: what it did not say is told, and no failure', () => {
    const report = of([...many, stop({ sightings: [{ ...said, outcome: 'allow' }] })])
    assert.deepEqual([silentWitnesses(report), verifyPassed(report)], [[], true])
    const text = renderVerify(report)
    assert.match(text, /4 stopped without a witness/)
    assert.doesNotMatch(text, /NO WITNESS/)
    assert.doesNotMatch(renderJson(report), /"silent"/)
  })

  it('that was needed a few times only may have had no line in time, but not where it could not be read', () => {
    assert.equal(verifyPassed(of(many.slice(1))), true)
    const unread = of([stop({ unread: ['ztunnel'] })])
    assert.equal(verifyPassed(unread), false)
    assert.match(silentWitnesses(unread)[0]?.says ?? '', /of the one attempt .* could not be read/)
    assert.equal(verifyPassed(of([stop({ unread: ['ztunnel'] }), stop()])), true)
    assert.equal(verifyPassed(of([stop({ unread: ['hubble'] })])), true)
  })

  it('is not needed where another says why, where nothing was stopped, or on the local target', () => {
    const waypoint = many.map((one) => ({ ...one, sightings: [{ ...said, by: 'waypoint' as const }] }))
    assert.deepEqual(silentWitnesses(of(waypoint)), [])
    const skipped = many.map((one): ScenarioResult => {
      const { observed: _, ...rest } = one
      return { ...rest, status: 'not-made' }
    })
    assert.deepEqual(silentWitnesses(of(skipped)), [])
    assert.deepEqual(silentWitnesses(of(many, 'local')), [])
  })

  it('is for admission what the API server answers', () => {
    const wall = { ...view, reason: { code: 'admission.denied', layer: '10-admission', policies: [] } }
    const refused = (message?: string): ScenarioResult => {
      const observed = { outcome: 'stopped', symptom: 'admission-refused', ...(message && { message }) } as const
      return stop({ expected: wall, observed })
    }
    assert.deepEqual(silentWitnesses(of(Array.from({ length: 3 }, () => refused('denied the request')))), [])
    const [silent] = silentWitnesses(of(Array.from({ length: 3 }, () => refused())))
    assert.deepEqual(silent?.by, ['api-server', 'kyverno'])
  })
})
