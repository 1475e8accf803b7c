import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, type Snapshot } from '@bulkhead/verdict'
import fc from 'fast-check'
import { cluster } from '../testing/arbitrary.js'
import { allow, namespace, peerAuthentication, service, snapshotOf, workload } from '../testing/objects.js'
import { matrix } from './matrix.js'

const ports = [{ containerPort: 8080 }]
const scene = [
  namespace('a'),
  workload('a/client'),
  workload('a/server', { ports: [...ports, { containerPort: 53, protocol: 'UDP' }] }),
  workload('a/plain', { labels: { 'istio.io/dataplane-mode': 'none' } }),
  service('a/server'),
  peerAuthentication('a/default', 'STRICT'),
  allow('a/server', 'server', ['client'], ['8080']),
]
const outcomes = (snapshot: Snapshot): Record<string, string> =>
  Object.fromEntries(matrix(snapshot).cells.map(({ key, verdict }) => [key, verdict.outcome]))

test('every workload and the outside, against the Service and the pods themselves; nobody about himself', () => {
  const { sources, destinations, cells } = matrix(snapshotOf(scene))
  assert.deepEqual(sources, ['a/client', 'a/plain', 'a/server', 'outside'])
  assert.deepEqual(destinations, ['a/server:80', 'a/server:53/UDP (pod)', 'a/server:8080 (pod)'])
  assert.equal(cells.length, 3 * 3)
  assert.deepEqual(outcomes(snapshotOf(scene)), {
    'a/client -> a/server:80': 'allow',
    'a/client -> a/server:53/UDP (pod)': 'allow',
    'a/client -> a/server:8080 (pod)': 'allow',
    'a/plain -> a/server:80': 'deny',
    // ztunnel takes TCP alone.
    'a/plain -> a/server:53/UDP (pod)': 'allow',
    'a/plain -> a/server:8080 (pod)': 'deny',
    'outside -> a/server:80': 'deny',
    'outside -> a/server:53/UDP (pod)': 'allow',
    'outside -> a/server:8080 (pod)': 'deny',
  })
})

test('a port that only a Service speaks of is one of the pods, and a headless Service is asked too', () => {
  const { destinations, cells } = matrix(
    snapshotOf([
      namespace('a'),
      workload('a/client'),
      workload('a/db'),
      service('a/db', { headless: true, ports: [{ port: 5432 }] }),
    ]),
  )
  assert.deepEqual(destinations, ['a/db:5432', 'a/db:5432 (pod)'])
  assert.ok(cells.every(({ from }) => from !== 'a/db'))
  assert.equal(cells.find(({ key }) => key === 'a/client -> a/db:5432')?.verdict.outcome, 'allow')
})

test('a Service in front of two workloads is asked about by each of them', () => {
  const shared = { labels: { tier: 'front' }, ports }
  const { cells } = matrix(
    snapshotOf([
      namespace('a'),
      workload('a/one', shared),
      workload('a/two', shared),
      service('a/both', { selector: { tier: 'front' } }),
    ]),
  )
  const asked = cells.filter(({ to }) => to === 'a/both:80').map(({ from }) => from)
  assert.deepEqual(asked, ['a/one', 'a/two', 'outside'])
})

test('workloads without pods, Services without pods, and nothing at all', () => {
  const { sources, destinations, cells } = matrix(
    snapshotOf([namespace('a'), workload('a/none', { replicas: 0, ports }), service('a/none')]),
  )
  assert.deepEqual(sources, ['outside'])
  assert.deepEqual(destinations, ['a/none:80'])
  assert.equal(cells[0]?.verdict.outcome, 'deny')
  assert.deepEqual(matrix(snapshotOf([])), { sources: ['outside'], destinations: [], cells: [] })
})

test('each cell is what judge says of its flow, and no question is left out or asked twice (random clusters)', () => {
  fc.assert(
    fc.property(cluster, (objects) => {
      const snapshot = snapshotOf(objects)
      const { sources, destinations, cells } = matrix(snapshot)
      // One by one, of a snapshot that has answered nothing yet.
      const other = snapshotOf(objects)
      for (const { flow, verdict, from, to } of cells) {
        assert.deepEqual(verdict, judge(flow, other))
        assert.ok(sources.includes(from) && destinations.includes(to))
      }
      assert.equal(new Set(cells.map(({ key }) => key)).size, cells.length)
      // Counted by another way: from the Services and the pods.
      const workloads = [...new Set([...snapshot.pods.values()].map((pod) => pod.workload))]
      const callers = [...workloads, 'outside']
      let expected = 0
      for (const service of snapshot.services.values()) {
        const behind = new Set(service.endpoints.map((pod) => snapshot.pods.get(pod)?.workload))
        for (const caller of callers) {
          if (behind.size === 1 && behind.has(caller)) continue
          expected += service.ports.length
        }
      }
      for (const workload of workloads) {
        const open = new Set<string>()
        for (const pod of snapshot.pods.values()) {
          if (pod.workload !== workload) continue
          for (const { port, protocol } of pod.ports) open.add(`${port}/${protocol}`)
          for (const service of snapshot.services.values()) {
            if (!service.endpoints.includes(pod.key)) continue
            for (const { port, protocol } of service.ports) {
              const target = snapshot.targetPort(service, port, pod, protocol)
              if (target !== undefined) open.add(`${target}/${protocol}`)
            }
          }
        }
        expected += open.size * (callers.length - 1)
      }
      // Whoever may not go everywhere is asked where to.
      const text = JSON.stringify(objects)
      const beyond = [/NetworkPolicy"/, /toFQDNs":\[\{"matchName":"one|serverNames/, /two\.example/]
      expected += workloads.length * beyond.filter((pattern) => pattern.test(text)).length
      assert.equal(cells.length, expected)
    }),
    { numRuns: 100 },
  )
})
