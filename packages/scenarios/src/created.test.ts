import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compareViews } from './compare.js'
import { expectedView } from './result.js'
import { refusalOf } from './testing/admissions.js'
import { scenarios } from './testing/in-force.js'
import { admission, allLayers, combinations, layers, resources } from './testing/repository.js'
import { expected, isAdmission, missing } from './walls.js'

/* What scenarios bring along, as admission sees it: with layer 10 on, and off, beside every set of the other layers. */

const bringing = scenarios.filter(({ given, change }) => given?.manifests ?? change?.manifests)

describe('what the scenarios bring along, as admission sees it', () => {
  it('is much', () => assert.ok(bringing.length >= 40, `${bringing.length}`))

  for (const scenario of bringing) {
    for (const on of [true, false]) {
      it(`${scenario.id} is ${on ? 'as expected' : 'as expected with layer 10 off'}`, () => {
        const view = refusalOf(scenario, on)
        for (const others of combinations) {
          const there = new Set(on ? [admission, ...others] : others)
          if (missing(scenario, there).length > 0) continue
          const expectation = expected(scenario, there)
          const created = expectation.outcome === 'through' || !isAdmission(expectation.wall)
          if (view === undefined) assert.ok(created, 'it is let in')
          else assert.deepEqual(compareViews('predicted', expectedView(expectation), view), [])
        }
      })
    }
  }
})

/** Of each policy, what shows that it is needed. */
const alone: Readonly<Record<string, readonly string[]>> = {
  'allowed-images': ['foreign-image', 'latest-image'],
  'disallow-capabilities': ['net-raw-pod'],
  'disallow-host-access': ['host-pid-pod'],
  'disallow-host-path': ['host-path-pod'],
  'disallow-privilege-escalation': ['escalating-pod'],
  'disallow-privileged': ['super-privileged-label'],
  'disallow-root-user': ['hacker-deployment', 'hacker-root', 'own-exception', 'root-init-container'],
  'disallow-token': ['token-pod'],
  'disallow-token-secrets': ['token-in-a-secret'],
  'gateway-overlays': ['waypoint-overlay'],
  'gateway-pods-by-istiod-only': ['waypoint-thief'],
  'namespaces-in-the-mesh': ['careless-namespace'],
  'pods-in-the-mesh': ['opted-out-pod'],
  'require-limits': ['limitless-pod'],
  'require-read-only-root': ['writable-root'],
  'require-seccomp': ['unconfined-pod'],
  'service-account-of-its-own': ['manager-account-thief-to-mongodb', 'web-api-account-thief-to-recommendation'],
}

describe('what a policy of layer 10 alone stops', () => {
  it('is told of every policy', () => {
    const policies = resources.filter(({ kind, layer }) => layer === admission && kind === 'ValidatingPolicy')
    assert.deepEqual(Object.keys(alone), policies.map(({ name }) => name).toSorted())
  })

  for (const [policy, ids] of Object.entries(alone)) {
    for (const id of ids) {
      it(`${policy}: ${id} gets through all layers but this, and no other policy refuses it`, () => {
        const scenario = scenarios.find((one) => one.id === id)
        assert.ok(scenario)
        assert.deepEqual(
          scenario.expect.walls.map((wall) => [wall.layer, wall.policy]),
          [[admission, `ValidatingPolicy/${policy}`]],
        )
        assert.deepEqual(
          refusalOf(scenario, true)?.reason?.policies.map((one) => one.policy),
          [`ValidatingPolicy/${policy}`],
        )
        assert.equal(refusalOf(scenario, false), undefined)
        assert.equal(expected(scenario, new Set(layers)).outcome, 'through')
        assert.equal(expected(scenario, new Set(allLayers)).outcome, 'stopped')
      })
    }
  }
})
