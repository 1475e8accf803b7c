import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests, type Resource } from '@bulkhead/resources'
import fc from 'fast-check'
import { stringify } from 'yaml'
import type { NetworkOptions } from '../api.js'
import { networkOptions, networkResources, networkSet } from '../testing/arbitrary-network.js'
import { packet, packetOf, type RandomPacket } from '../testing/arbitrary-packets.js'
import { naiveNetwork } from '../testing/naive-network.js'
import { askEngine, disagreements, naivePacket } from '../testing/network-ask.js'
import { naiveWorld, snapshotOf } from '../testing/network-world.js'
import type { CniVerdict } from '../types.js'

/*
 * The engine against a second evaluator, at the network layers: 1,000 random sets of policies, 10,000 with
 * BULKHEAD_LONG=1, with several packets each. BULKHEAD_SEED repeats a run.
 */

const numRuns = process.env.BULKHEAD_LONG === '1' ? 10_000 : 1000
const seed = Number(process.env.BULKHEAD_SEED ?? Date.now() % 2 ** 31)
const packets = fc.array(packet, { minLength: 10, maxLength: 10 })

/** What a failure prints: all that is needed to see it again. */
function told(resources: readonly Resource[], network: NetworkOptions, one: RandomPacket, found: string[]): string {
  const documents = resources.map(({ object }) => stringify({ ...object })).join('---\n')
  return `${found.join('\n')}\n${JSON.stringify(one)} with ${JSON.stringify(network)}\n${documents}`
}

test('packets: the engine and the naive evaluator agree', (t) => {
  t.diagnostic(`seed ${seed}, ${numRuns} sets`)
  const seen = new Map<string, number>()
  let total = 0
  fc.assert(
    fc.property(networkSet, networkOptions, packets, (set, network, some) => {
      const resources = networkResources(set)
      const snapshot = snapshotOf(resources, network)
      const world = naiveWorld(resources, network)
      for (const one of some) {
        const asked = packetOf(one)
        const naive = naiveNetwork(world, naivePacket(asked))
        const found = disagreements(naive, askEngine(asked, snapshot))
        if (found.length > 0) assert.fail(told(resources, network, one, found))
        total += 1
        const kinds = naive.outcome === 'unknown' ? ['unknown'] : naive.why
        for (const kind of [...kinds, ...naive.reads.map((reads) => `reads ${reads}`)])
          seen.set(kind, (seen.get(kind) ?? 0) + 1)
      }
    }),
    { numRuns, seed, includeErrorInReport: true },
  )
  t.diagnostic([...seen].map(([kind, count]) => `${kind} ${count}`).join(', '))
  // A generator that never denies would test nothing.
  for (const [kind, share] of Object.entries(shares))
    assert.ok((seen.get(kind) ?? 0) >= share * total, `${kind} hardly ever comes up`)
})

test('the random sets are what the API server and Cilium take', () => {
  fc.assert(
    fc.property(networkSet, networkOptions, packets, (set, network, some) => {
      const made = networkResources(set)
      const text = made.map(({ object }) => stringify({ ...object })).join('---\n')
      const { resources, diagnostics } = parseManifests(text, 'set.yaml')
      const errors = diagnostics.filter(({ severity }) => severity === 'error')
      assert.deepEqual(
        errors.map(({ message }) => message),
        [],
      )
      // What is read from a file says the same as what was made of objects.
      const [read, plain] = [snapshotOf(resources, network), snapshotOf(made, network)]
      for (const one of some.map(packetOf)) {
        const said = ({ outcome, steps: [step], reads }: CniVerdict): unknown => [
          outcome,
          step?.code,
          step?.policy,
          reads,
        ]
        assert.deepEqual(said(askEngine(one, read)), said(askEngine(one, plain)))
      }
    }),
    { numRuns: numRuns / 10, seed, includeErrorInReport: true },
  )
})

/** The least share of the packets that must end so. */
const shares = {
  open: 0.1,
  'own-node': 0.005,
  allow: 0.05,
  deny: 0.02,
  default: 0.1,
  auth: 0.0003,
  sni: 0.0003,
  http: 0.0003,
  dns: 0.0003,
  unknown: 0.004,
  'reads tls': 0.0003,
  'reads http': 0.0003,
  'reads dns': 0.0003,
}
