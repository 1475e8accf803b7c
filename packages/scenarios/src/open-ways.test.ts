import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type Flow,
  hbonePort,
  judge,
  judgeAt,
  outsideAddress,
  type Pod,
  type ServiceModel,
  type Snapshot,
} from '@bulkhead/verdict'
import { behindWaypoints, openPackets, openPairs, openServices, triedRequests } from './testing/legitimate-flows.js'
import { describeFlow, layers, passes, snapshotWith } from './testing/repository.js'

const hbone = { port: hbonePort, protocol: 'TCP' } as const
const snapshot = snapshotWith(layers)

/** Every workload to every other one, at each port that it declares. One pod stands for those of its workload. */
function pairs({ pods }: Snapshot): readonly { readonly from: Pod; readonly to: Pod }[] {
  const one = [...new Map([...pods.values()].map((pod) => [pod.workload, pod])).values()]
  return one.flatMap((from) => one.filter((to) => to !== from).map((to) => ({ from, to })))
}

/** Those whose packets are let out and in, whatever ztunnel says then. */
function openPacketsOf(some: Snapshot): readonly string[] {
  const open = pairs(some).flatMap(({ from, to }) =>
    [...to.ports, hbone].flatMap(({ port, protocol }) =>
      passes(from, to, port, some, protocol === 'UDP' ? 'UDP' : 'TCP')
        ? [`${from.workload} -> ${to.workload}:${port}/${protocol}`]
        : [],
    ),
  )
  return [...new Set(open)].sort()
}

/** Those of the flows that are let through; none is one that nobody can tell. */
function openOf(flows: readonly Flow[]): readonly string[] {
  return flows
    .filter((flow) => {
      const { outcome } = judge(flow, snapshot)
      assert.notEqual(outcome, 'unknown', describeFlow(flow))
      return outcome === 'allow'
    })
    .map(describeFlow)
    .sort()
}

describe('what is not meant to work', () => {
  it('does not: of all pairs of pods at all their ports, those of the table are open and no other', () => {
    const flows = pairs(snapshot).flatMap(({ from, to }) =>
      [...to.ports, hbone].map(
        ({ port, protocol }): Flow => ({
          from: { workload: from.workload },
          to: { workload: to.workload },
          port,
          protocol,
        }),
      ),
    )
    assert.ok(flows.length > 600, `${flows.length} asked`)
    assert.deepEqual(openOf(flows), [...openPairs].sort())
  })

  it('does not by the name of a Service either: of all that is asked of all of them, what is in the table', () => {
    const callers = [...new Set([...snapshot.pods.values()].map(({ workload }) => workload))]
    const requests = triedRequests.map((text) => {
      const [method = '', path = ''] = text.split(' ')
      return { method, path }
    })
    // No network keeps a pod from itself.
    const ofOthers = (service: ServiceModel) =>
      callers.filter((workload) => !service.endpoints.some((key) => snapshot.pods.get(key)?.workload === workload))
    const flows = [...snapshot.services.values()].flatMap((service) =>
      service.ports.flatMap(({ port, protocol, application }) =>
        ofOthers(service).flatMap((workload): readonly Flow[] => {
          const flow: Flow = { from: { workload }, to: { service: service.key }, port, protocol }
          return application === 'http' ? requests.map((http) => ({ ...flow, http })) : [flow]
        }),
      ),
    )
    assert.ok(flows.length > 2000, `${flows.length} asked`)
    const platform = / -> (kube-system|istio-system|default)\//
    assert.deepEqual(
      openOf(flows).filter((text) => !platform.test(text)),
      [...openServices, ...behindWaypoints].sort(),
    )
  })

  it('is nothing that the network sees: packets pass between those pairs alone, at 15008 and where UDP is meant', () => {
    assert.deepEqual(openPacketsOf(snapshot), openPackets)
  })

  it('is nothing that another network plugin sees either, with what it enforces of these', () => {
    const others = snapshotWith(
      layers.filter((layer) => layer !== '30-cilium'),
      { network: { reader: 'api' } },
    )
    assert.deepEqual(openPacketsOf(others), openPackets)
  })

  it('does not from outside either: the doors are all that is open', () => {
    const open = [...snapshot.pods.values()].flatMap((to) =>
      [...to.ports, hbone].flatMap(({ port, protocol }) => {
        const tuple = { src: outsideAddress, dst: to.ip, port, protocol }
        const { outcome } = judgeAt('cni-ingress', { pod: to, peer: { ip: tuple.src }, tuple }, snapshot)
        return outcome === 'deny' ? [] : [`${to.workload}:${port}`]
      }),
    )
    assert.deepEqual(open.sort(), [
      'demo/hello-gateway-istio:80',
      'gthulhu/gthulhu-gw-istio:80',
      'shop/shop-gateway-istio:80',
    ])
  })

  it('does not for a pod of tomorrow: it is closed both ways before anybody has thought of it', () => {
    for (const namespace of ['demo', 'gthulhu', 'gthulhu-node', 'sandbox', 'shop']) {
      const tomorrow = { namespace, labels: { app: 'tomorrow' } }
      const ways: readonly Flow[] = [
        { from: tomorrow, to: { workload: 'shop/web-api' }, port: 8080 },
        { from: { workload: 'shop/sleep' }, to: { ...tomorrow, ports: [{ port: 8080 }] }, port: 8080 },
      ]
      for (const flow of ways) {
        const isolating = judge(flow, snapshot).steps.flatMap(({ isolatedBy }) => isolatedBy ?? [])
        const named = isolating.map(({ policy }) => policy)
        assert.ok(named.includes(`NetworkPolicy/${namespace}/default-deny`), `${namespace}: ${named.join(', ')}`)
      }
    }
  })

  it('is open without any layer: the walls are what closes it', () => {
    const flow: Flow = { from: { workload: 'demo/intruder' }, to: { workload: 'demo/postgres' }, port: 5432 }
    assert.equal(judge(flow, snapshotWith([])).outcome, 'allow')
    assert.equal(judge(flow, snapshot).outcome, 'deny')
  })
})
