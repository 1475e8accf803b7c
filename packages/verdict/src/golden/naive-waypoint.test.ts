import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { compile } from '../model/compile.js'
import { call } from '../testing/arbitrary-calls.js'
import { meshResources, networkResources, walls } from '../testing/arbitrary-walls.js'
import { cluster, clusterResources, readyOnce } from '../testing/arbitrary-waypoints.js'
import { askEngine, askNaive, differences, naiveClusterOf } from '../testing/waypoint-ask.js'

/*
 * The engine against the naive evaluators, over random clusters with waypoints: 400 with ten calls each, 10,000 with
 * BULKHEAD_LONG=1. BULKHEAD_SEED repeats a run.
 */

const numRuns = process.env.BULKHEAD_LONG === '1' ? 10_000 : 400
const seed = Number(process.env.BULKHEAD_SEED ?? Date.now() % 2 ** 31)
const calls = fc.array(call, { minLength: 10, maxLength: 10 })
const trustDomain = fc.constantFrom('cluster.local', 'cluster.local', 'cluster.local', 'mesh.example')

test('calls by waypoints: the engine and the naive evaluators agree', (t) => {
  t.diagnostic(`seed ${seed}, ${numRuns} clusters`)
  const seen = new Map<string, number>()
  let total = 0
  fc.assert(
    fc.property(cluster, walls, calls, trustDomain, (of, built, some, domain) => {
      const networks = networkResources(built)
      const resources = [...clusterResources(of), ...meshResources(built), ...networks]
      const waypointsReadyOnce = readyOnce(of)
      const snapshot = compile(resources, { waypointsReadyOnce, trustDomain: domain })
      const naiveCluster = naiveClusterOf(snapshot, resources, networks, waypointsReadyOnce, domain)
      for (const one of some) {
        const naive = askNaive(naiveCluster, resources, one)
        const verdict = askEngine(snapshot, one)
        const found = differences(naive, verdict)
        if (found.length > 0) {
          const documents = resources.map(({ object }) => stringify({ ...object })).join('---\n')
          const told = [...found, JSON.stringify(one), JSON.stringify(naive.said), JSON.stringify(verdict.steps)]
          assert.fail(`${told.join('\n')}\n${[...waypointsReadyOnce]} ${domain}\n${documents}`)
        }
        total += 1
        const { by, stations, outcome } = naive
        for (const kind of [by === undefined ? outcome : `${by.hop} ${by.point} ${by.codes[0]}`, ...stations])
          seen.set(kind, (seen.get(kind) ?? 0) + 1)
      }
    }),
    { numRuns, seed, includeErrorInReport: true },
  )
  t.diagnostic(`${total} calls`)
  t.diagnostic(
    [...seen]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([kind, count]) => `${kind} ${count}`)
      .join(', '),
  )
})
