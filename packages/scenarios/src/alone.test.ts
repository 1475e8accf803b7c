import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { judge } from '@bulkhead/verdict'
import { flowOf } from './flow.js'
import { predictedView } from './result.js'
import { scenarios, snapshotsOf } from './testing/in-force.js'
import { layers } from './testing/repository.js'

/*
 * Every wall stops something that nothing else stops: of each, attacks that show it, as docs/decisions/0026 tells them. They may
 * not become attacks that another wall stops too, or that none does, without somebody looking here.
 */

const alone: Readonly<Record<string, readonly string[]>> = {
  // No proxy of the mesh sees a datagram; the sandbox has no identities; a kubelet and a gateway's port are the manager's to dial, to 30.
  '20-network': [
    'manager-asks-a-kubelet',
    'manager-to-collector-by-udp',
    'sandbox-intruder-to-collector',
    'scheduler-by-the-front-door',
  ],
  // A deny where 20 has been opened, or never was.
  '30-cilium': ['careless-egress-does-not-open-the-way-out', 'newcomer-asks-for-metadata'],
  // Plain text where nothing asks who is calling.
  '40-mtls': ['outsider-where-identity-is-open'],
  // Stolen labels, with the stolen password or without.
  '50-identity': [
    'curl-test-thief-to-manifest-gen',
    'hello-app-thief-to-postgres',
    'np-allow-mgr-to-a-scheduler',
    'np-allow-mgr-with-the-mongodb-password',
  ],
  // Callers who may call: what they ask, and the way around whoever looks at it.
  '60-requests': [
    'outside-where-the-gateway-skips-the-waypoint',
    'scheduler-to-the-managers-pod',
    'scheduler-with-an-admins-token',
    'sleep-deletes-at-web-api',
    'sleep-where-there-is-no-waypoint-yet',
  ],
  '70-ingress': ['outside-posts', 'outside-reads-metrics-of-the-manager'],
}

const snapshotFor = snapshotsOf()

describe('what a wall alone stops', () => {
  it('is told of every wall', () => assert.deepEqual(Object.keys(alone), layers))

  for (const [layer, ids] of Object.entries(alone)) {
    const rest = layers.filter((one) => one !== layer)
    for (const id of ids) {
      it(`${layer}: ${id} gets through all the others, and not through it, whatever they are`, () => {
        const scenario = scenarios.find((one) => one.id === id)
        assert.ok(scenario)
        const { from, attempt, kind, needs = [], expect } = scenario
        assert.deepEqual([kind, expect.walls.map((wall) => wall.layer)], ['attack', [layer]])
        const flow = flowOf(from, attempt)
        assert.ok(flow)
        const outcome = (on: readonly string[]) => predictedView(judge(flow, snapshotFor(scenario, on))).outcome
        // Where it is the layer's own door that is knocked at, there is nothing to try without it.
        if (!needs.includes(layer)) assert.equal(outcome(rest), 'through')
        assert.equal(outcome(layers), 'stopped')
        assert.equal(outcome([layer, ...needs]), 'stopped')
      })
    }
  }
})
