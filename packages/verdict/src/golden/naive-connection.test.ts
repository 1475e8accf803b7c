import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { judge } from '../flow/judge.js'
import { authorization, peerAuthentication } from '../testing/arbitrary.js'
import { networkOptions, networkResources, networkSet } from '../testing/arbitrary-network.js'
import { type NaiveEndpoint, type NaiveFlow, naiveConnection } from '../testing/naive-connection.js'
import { naivePod, naiveWorld, podOf, snapshotOf, worldNodes } from '../testing/network-world.js'
import { authorizationPolicy, peerAuthentication as peerAuthenticationOf } from '../testing/objects.js'
import type { Flow } from '../types.js'

/*
 * Whole connections, with policies of the network layers and of the mesh beside each other: the engine against the naive
 * evaluators in a row. 500 random sets, 10,000 with BULKHEAD_LONG=1. BULKHEAD_SEED repeats a run.
 */

const numRuns = process.env.BULKHEAD_LONG === '1' ? 10_000 : 500
const seed = Number(process.env.BULKHEAD_SEED ?? Date.now() % 2 ** 31)
const oneOf = fc.constantFrom

/** A flow as the engine takes it; the naive evaluator's is made of it. */
type RandomFlow = Pick<Flow, 'http' | 'dns' | 'protocol'> & {
  readonly from: string
  readonly to: string
  readonly port: number
}

const callers = oneOf('a/web', 'a/db', 'a/job', 'b/web', 'c/web', 'b/agent')
const flows: fc.Arbitrary<RandomFlow> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({
        from: fc.oneof(
          { weight: 4, arbitrary: callers },
          { weight: 1, arbitrary: oneOf('203.0.113.7', 'bulkhead-worker') },
        ),
        to: oneOf(
          { to: 'a/web', port: 8080, protocol: 'TCP' as const },
          { to: 'a/web', port: 8080, protocol: 'TCP' as const },
          { to: 'a/web', port: 8080, protocol: 'UDP' as const },
          { to: 'a/db', port: 5432, protocol: 'TCP' as const },
          { to: 'b/web', port: 8080, protocol: 'TCP' as const },
          { to: 'c/web', port: 8080, protocol: 'TCP' as const },
        ),
        http: oneOf(
          { method: 'GET', path: '/public', host: 'web.a' },
          { method: 'POST', path: '/public?x=1', host: 'web.a', headers: { 'X-Team': 'red' } },
        ),
      })
      .map(({ from, to, http }) => ({ from, ...to, ...(to.protocol === 'TCP' && to.port === 8080 && { http }) })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      from: callers,
      to: oneOf('api.partner.example', 'www.partner.example', 'other.example'),
      port: oneOf(443, 443, 5432),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      from: callers,
      to: fc.constant('kube-system/coredns'),
      port: fc.constant(53),
      protocol: fc.constant('UDP' as const),
      dns: oneOf({ query: 'api.partner.example' }, { query: 'other.example' }),
    }),
  },
)

const outsideIp = '203.0.113.7'

function engineFlow({ from, to, ...rest }: RandomFlow): Flow {
  const source = from.includes('/') ? { workload: from } : /^\d/.test(from) ? { external: from } : { node: from }
  return { ...rest, from: source, to: to.includes('/') ? { workload: to } : { host: to, ip: outsideIp } }
}

function endpoint(workload: string): NaiveEndpoint {
  const pod = podOf(workload)
  return { ...naivePod(pod), mesh: pod.mesh, principal: pod.identity.replace('spiffe://', '') }
}

function naiveFlow({ from, to, port, protocol = 'TCP', http, dns }: RandomFlow): NaiveFlow {
  const node = worldNodes.find(({ name }) => name === from)
  const headers = Object.fromEntries(
    Object.entries(http?.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  )
  return {
    from: from.includes('/') ? endpoint(from) : node === undefined ? { ip: from } : { node: from, ip: node.ip },
    to: to.includes('/') ? endpoint(to) : { host: to, ip: outsideIp },
    port,
    protocol: protocol === 'UDP' ? 'UDP' : 'TCP',
    ...(http !== undefined && { http: { ...http, host: http.host ?? '', headers } }),
    ...(dns !== undefined && { query: dns.query }),
  }
}

const meshSets = fc.record({
  authorizations: fc.array(authorization, { maxLength: 2 }),
  peers: fc.array(peerAuthentication, { maxLength: 2 }),
})

test('connections: the engine and the naive evaluators agree', (t) => {
  t.diagnostic(`seed ${seed}, ${numRuns} sets`)
  const seen = new Map<string, number>()
  let total = 0
  fc.assert(
    fc.property(
      networkSet,
      meshSets,
      networkOptions,
      fc.array(flows, { minLength: 6, maxLength: 6 }),
      (set, mesh, network, some) => {
        const policies = networkResources(set)
        const authorizations = mesh.authorizations.map(({ namespace, dryRun, spec }, index) =>
          authorizationPolicy(`${namespace}/z${index}`, spec, {
            ...(dryRun && { annotations: { 'istio.io/dry-run': 'true' } }),
          }),
        )
        const peers = mesh.peers.map(({ namespace, spec }, index) =>
          peerAuthenticationOf(`${namespace}/m${index}`, spec),
        )
        const all = [...policies, ...authorizations, ...peers]
        const snapshot = snapshotOf(all, network)
        const world = naiveWorld(policies, network)
        const plain = (resources: readonly Resource[]): { readonly [key: string]: unknown }[] =>
          resources.map(({ object }) => ({ ...object }))
        const naiveMesh = {
          authorizationPolicies: plain(authorizations),
          peerAuthentications: plain(peers),
          dns: endpoint('kube-system/coredns'),
        }
        for (const one of some) {
          if (one.from === one.to) continue
          const naive = naiveConnection(world, naiveMesh, naiveFlow(one))
          const { outcome, decidedBy, steps } = judge(engineFlow(one), snapshot)
          const by = decidedBy === undefined ? undefined : steps[decidedBy.step]?.point
          if (outcome !== naive.outcome || by !== naive.by) {
            const documents = plain(all).map((object) => stringify(object))
            const told = `${JSON.stringify(one)} with ${JSON.stringify(network)}\n${JSON.stringify(steps)}`
            assert.deepEqual({ outcome, by }, naive, `${told}\n${documents.join('---\n')}`)
          }
          total += 1
          const key = naive.by ?? naive.outcome
          seen.set(key, (seen.get(key) ?? 0) + 1)
        }
      },
    ),
    { numRuns, seed, includeErrorInReport: true },
  )
  t.diagnostic([...seen].map(([key, count]) => `${key} ${count}`).join(', '))
  // A generator that never denies would test nothing.
  for (const [key, share] of Object.entries({
    allow: 0.1,
    'cni-egress': 0.1,
    'cni-ingress': 0.1,
    ztunnel: 0.02,
    unknown: 0.0005,
  }))
    assert.ok((seen.get(key) ?? 0) >= share * total, `${key} hardly ever comes up`)
})
