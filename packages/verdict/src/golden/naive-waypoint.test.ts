import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { compile } from '../model/compile.js'
import { call, callOfWeb, type RandomCall } from '../testing/arbitrary-calls.js'
import {
  meshResources,
  networkResources,
  type RandomWalls,
  walls,
  wallsOfRequests,
} from '../testing/arbitrary-walls.js'
import {
  cluster,
  clusterResources,
  everybodyByWaypoint,
  type RandomCluster,
  readyOnce,
} from '../testing/arbitrary-waypoints.js'
import type { NaiveWay } from '../testing/naive-way.js'
import { askEngine, askNaive, differences, naiveClusterOf } from '../testing/waypoint-ask.js'

/*
 * The engine against the naive evaluators, over random clusters with waypoints: 800 with ten calls each, 10,000 with
 * BULKHEAD_LONG=1; and 400 with all calls by one waypoint, for what it reads of them. BULKHEAD_SEED repeats a run.
 */

const long = process.env.BULKHEAD_LONG === '1'
const seed = Number(process.env.BULKHEAD_SEED ?? Date.now() % 2 ** 31)
const trustDomain = fc.constantFrom('cluster.local', 'cluster.local', 'cluster.local', 'mesh.example')

interface World {
  readonly clusters: fc.Arbitrary<RandomCluster>
  readonly walls: fc.Arbitrary<RandomWalls>
  readonly calls: fc.Arbitrary<RandomCall>
  readonly numRuns: number
}

/** Asks both, and counts how the calls end and what they go by: a generator that never gets to a wall tests nothing of it. */
function compare(t: TestContext, world: World, shares: Readonly<Record<string, number>>): void {
  const { numRuns } = world
  t.diagnostic(`seed ${seed}, ${numRuns} clusters`)
  const seen = new Map<string, number>()
  let total = 0
  const calls = fc.array(world.calls, { minLength: 10, maxLength: 10 })
  fc.assert(
    fc.property(world.clusters, world.walls, calls, trustDomain, (of, built, some, domain) => {
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
        for (const kind of kindsOf(naive)) seen.set(kind, (seen.get(kind) ?? 0) + 1)
      }
    }),
    { numRuns, seed, includeErrorInReport: true },
  )
  const kinds = [...seen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, count]) => `${kind} ${count}`)
  t.diagnostic(`${total} calls: ${kinds.join(', ')}`)
  for (const [kind, share] of Object.entries(shares))
    assert.ok((seen.get(kind) ?? 0) >= share * total, `${kind} hardly ever comes up`)
}

/** What decided it, on the first hop or behind a gateway or a waypoint; what it went by; and what a waypoint let on. */
function kindsOf({ by, said, stations, outcome }: NaiveWay): string[] {
  const where = by?.hop === 0 ? 'first' : 'behind'
  const decided = by === undefined ? outcome : `${where} ${by.point} ${by.codes[0]}`
  const passed = said.filter(({ point, word }) => point === 'waypoint' && word === 'allow')
  return [decided, ...stations, ...passed.map(({ codes }) => `by the waypoint ${codes[0]}`)]
}

test('calls by waypoints: the engine and the naive evaluators agree', (t) => {
  compare(t, { clusters: cluster, walls, calls: call, numRuns: long ? 10_000 : 800 }, sharesOfCalls)
})

test('requests at a waypoint, where everybody goes by it: the engine and the naive evaluators agree', (t) => {
  const clusters = everybodyByWaypoint
  compare(t, { clusters, walls: wallsOfRequests, calls: callOfWeb, numRuns: long ? 10_000 : 400 }, sharesOfRequests)
})

/** The least share of the calls that must end so, or go by that: on the first hop, or behind a gateway or a waypoint. */
const sharesOfCalls = {
  allow: 0.3,
  unknown: 0.003,
  gateway: 0.1,
  http: 0.1,
  tcp: 0.04,
  died: 0.002,
  'waypoint for service': 0.15,
  'waypoint for workload': 0.004,
  'by the waypoint authz.no-allow-policy': 0.05,
  'by the waypoint authz.rule-allows': 0.01,
  'first waypoint authz.no-rule-allows': 0.01,
  'first waypoint authz.rule-denies': 0.004,
  'first waypoint request.refused': 0.008,
  'first gateway authz.no-rule-allows': 0.003,
  'first gateway authz.rule-denies': 0.0005,
  'first gateway request.refused': 0.01,
  'first gateway route.no-host': 0.01,
  'first cni-egress cni.default-deny': 0.003,
  'first cni-ingress cni.default-deny': 0.006,
  'first cni-ingress cni.http-denied': 0.0005,
  'first ztunnel authz.no-rule-allows': 0.01,
  'first ztunnel authz.rule-denies': 0.0008,
  'first ztunnel mtls.strict-no-identity': 0.008,
  'first network network.no-endpoint': 0.01,
  'behind waypoint authz.no-rule-allows': 0.002,
  'behind waypoint authz.rule-denies': 0.0008,
  'behind cni-egress cni.default-deny': 0.0003,
  'behind cni-ingress cni.default-deny': 0.0003,
  'behind cni-ingress cni.http-denied': 0.0008,
  'behind ztunnel authz.no-rule-allows': 0.003,
  'behind network network.no-endpoint': 0.006,
}

const sharesOfRequests = {
  allow: 0.1,
  unknown: 0.01,
  http: 0.3,
  tcp: 0.1,
  'first waypoint authz.no-rule-allows': 0.05,
  'first waypoint authz.rule-denies': 0.03,
  'first waypoint request.refused': 0.02,
  'behind waypoint authz.no-rule-allows': 0.01,
  'behind waypoint authz.rule-denies': 0.01,
  'by the waypoint authz.rule-allows': 0.05,
}
