import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Flow, judge, outsideAddress } from '@bulkhead/verdict'
import fc from 'fast-check'
import { descriptions } from '../testing/arbitrary.js'
import { asks, type Question, workloadOf } from '../testing/asked.js'
import { after, destinations, flowOf, requests, runs, self, was, workloads } from '../testing/asking.js'
import { made } from '../testing/k8s.js'

test('put into k8s, it opens what was asked for, and opens and closes nothing else', () => {
  fc.assert(
    fc.property(descriptions, (raw) => {
      const { description, resources } = made(raw)
      const snapshot = after(resources)
      const itself = self(description)
      const waypoint = description.waypoint && `${description.namespace}/${description.waypoint.name}`
      let open = 0
      for (const from of workloads(snapshot)) {
        // A waypoint opens connections for others, and has to get to what stands behind it.
        if (from === waypoint) continue
        for (const { to, port } of destinations(snapshot)) {
          if ('workload' in to && to.workload === from) continue
          if ('service' in to && to.service === from) continue
          const isNew = from === itself || ('workload' in to ? to.workload : to.service) === itself
          for (const request of requests) {
            const question: Question = { from, to, port, ...request }
            const flow = flowOf(question)
            const { outcome, text } = judge(flow, snapshot)
            const expected = isNew ? (asks(description, question) ? 'allow' : 'deny') : was(flow)
            assert.equal(outcome, expected, `${JSON.stringify(raw)}\n${text}`)
            if (isNew && outcome === 'allow') open++
          }
        }
      }
      const some = description.calls.some(({ behind }) => behind === undefined)
      if (some) assert.ok(open > 0, 'the test can see what is open')
    }),
    { numRuns: runs },
  )
})

test('who only looks like a caller is refused, and so is who comes without a certificate or from outside', () => {
  fc.assert(
    fc.property(descriptions, (raw) => {
      const { description, resources } = made(raw)
      const { listens, callers, namespace, calls } = description
      const snapshot = after(resources)
      const of = (to: Question['to'], port: number, source: Flow['from']): string =>
        judge(flowOf({ from: '', to, port, ...requests[0] }, source), snapshot).outcome
      const targets: Pick<Question, 'to' | 'port'>[] =
        listens === undefined
          ? []
          : [
              { to: { service: self(description) }, port: listens.servicePort },
              { to: { workload: self(description) }, port: listens.port },
            ]
      for (const { to, port } of targets) {
        assert.equal(of(to, port, { external: outsideAddress }), 'deny')
        for (const caller of callers) {
          const looks = { namespace: caller.namespace, labels: caller.labels }
          assert.equal(of(to, port, { ...looks, serviceAccount: 'a-thief' }), 'deny', 'labels alone are not enough')
          const plain = { ...looks, serviceAccount: caller.serviceAccount, mesh: false }
          assert.equal(of(to, port, plain), 'deny', 'nor is an address')
          const elsewhere = { ...looks, namespace: caller.namespace === 'shop' ? 'demo' : 'shop' }
          assert.equal(of(to, port, { ...elsewhere, serviceAccount: caller.serviceAccount }), 'deny')
        }
      }
      // The same towards what it calls: its labels, without its account.
      for (const callee of calls)
        for (const port of callee.ports)
          assert.equal(
            of({ workload: workloadOf(callee.namespace, callee.name) }, port, {
              namespace,
              labels: { app: description.name },
              serviceAccount: 'a-thief',
            }),
            'deny',
          )
    }),
    { numRuns: runs },
  )
})

test('it may ask for names; the kubelet may ask whether it is well; and the rest of the world is out of its reach', () => {
  fc.assert(
    fc.property(descriptions, (raw) => {
      const { description, resources } = made(raw)
      const snapshot = after(resources)
      const from = { workload: self(description) }
      const outcome = (flow: Flow): string => judge(flow, snapshot).outcome
      for (const protocol of ['UDP', 'TCP'] as const) {
        const dns = { query: description.hosts[0] ?? 'api.github.com' }
        assert.equal(outcome({ from, to: { service: 'kube-system/kube-dns' }, port: 53, protocol, dns }), 'allow')
      }
      for (const [to, port] of [
        [{ host: 'drop.attacker.example' }, 443],
        [{ ip: '169.254.169.254' }, 80],
        [{ node: 'bulkhead-worker' }, 10250],
        [{ service: 'default/kubernetes' }, 443],
      ] as const)
        assert.equal(outcome({ from, to, port }), 'deny', JSON.stringify(to))
      const [pod] = [...snapshot.pods.values()].filter(({ workload }) => workload === self(description))
      if (description.listens !== undefined)
        assert.equal(
          outcome({ from: { node: pod?.node ?? '' }, to: from, port: description.listens.port }),
          'allow',
          'a probe',
        )
      if (description.waypoint !== undefined) {
        const proxy = { workload: `${description.namespace}/${description.waypoint.name}` }
        const istiod = { workload: 'istio-system/istiod' }
        assert.equal(outcome({ from: proxy, to: istiod, port: 15012 }), 'allow', 'its configuration')
        const dns = { query: 'istiod.istio-system.svc.cluster.local' }
        assert.equal(
          outcome({ from: proxy, to: { service: 'kube-system/kube-dns' }, port: 53, protocol: 'UDP', dns }),
          'allow',
        )
        assert.equal(outcome({ from: proxy, to: { host: 'drop.attacker.example' }, port: 443 }), 'deny')
        assert.equal(outcome({ from: proxy, to: { workload: 'demo/postgres' }, port: 5432 }), 'deny')
      }
    }),
    { numRuns: runs },
  )
})
