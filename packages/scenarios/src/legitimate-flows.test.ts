import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { loadManifests, type PodTemplate } from '@bulkhead/resources'
import {
  compile,
  type Flow,
  hbonePort,
  judge,
  judgeAt,
  type NetworkOptions,
  outsideAddress,
  type Pod,
  type Snapshot,
} from '@bulkhead/verdict'
import { type Legitimate, legitimateFlows, openPackets, openPairs } from './testing/legitimate-flows.js'

const root = resolve(import.meta.dirname, '../../..')
const { resources } = await loadManifests([join(root, 'k8s/workloads'), join(root, 'k8s/layers')], { relativeTo: root })
const layers = [...new Set(resources.flatMap(({ layer }) => layer ?? []))].sort()

const hbone = { port: hbonePort, protocol: 'TCP' } as const

const combinations = Array.from({ length: 2 ** layers.length }, (_, bits) =>
  layers.filter((_, index) => (bits >> index) & 1),
)

function snapshotWith(on: readonly string[], network: NetworkOptions = {}): Snapshot {
  return compile(
    resources.filter(({ layer }) => layer === undefined || on.includes(layer)),
    { network },
  )
}

/** The kubelet's own: every probe that a manifest asks for, from the node on which the pod is. */
function probesOf(snapshot: Snapshot): readonly Legitimate[] {
  return [...snapshot.pods.values()].flatMap((pod) =>
    probedPorts(pod).map((port) => ({
      why: 'a probe of the kubelet',
      flow: { from: { node: pod.node }, to: { workload: pod.workload }, port },
    })),
  )
}

function probedPorts(pod: Pod): readonly number[] {
  const owner = resources.find(({ id }) => /^(Deployment|StatefulSet)\//.test(id) && id.endsWith(`/${pod.workload}`))
  const { template } = (owner?.object as { readonly spec?: { readonly template: PodTemplate } } | undefined)?.spec ?? {}
  const asked = (template?.spec.containers ?? []).flatMap((container) =>
    [container.startupProbe, container.readinessProbe, container.livenessProbe].flatMap((probe) => {
      const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port
      return port === undefined ? [] : [pod.ports.find(({ name }) => name === port)?.port ?? Number(port)]
    }),
  )
  return [...new Set(asked)]
}

function describeFlow({ from, to, port, protocol = 'TCP', dns }: Flow): string {
  const asks = dns === undefined ? '' : ` for ${dns.query}`
  return `${Object.values(from)[0]} -> ${Object.values(to)[0]}:${port}/${protocol}${asks}`
}

/** What does not work of what is meant to, or works past a door that is shut. */
function wrongWith(on: readonly string[], snapshot: Snapshot): readonly string[] {
  const probes = probesOf(snapshot)
  assert.ok(probes.length >= 6)
  return [...probes, ...legitimateFlows].flatMap(({ why, flow, needs = [], shut }) => {
    if (!needs.every((layer) => on.includes(layer))) return []
    const { outcome, text } = judge(flow, snapshot)
    const expected = shut !== undefined && on.includes(shut.on) && !on.includes(shut.off) ? 'deny' : 'allow'
    return outcome === expected ? [] : [`${describeFlow(flow)} (${why}): ${text}`]
  })
}

describe('what is meant to work', () => {
  it('has five layers around it', () => {
    assert.deepEqual(layers, ['20-network', '30-cilium', '40-mtls', '50-identity', '70-ingress'])
  })

  for (const on of combinations) {
    it(`works with ${on.join(' and ') || 'no layer'} on`, () => {
      assert.deepEqual(wrongWith(on, snapshotWith(on)), [])
    })
  }

  it('works under a network plugin that follows NetworkPolicy to the letter, too', () => {
    for (const on of combinations.filter((some) => !some.includes('30-cilium'))) {
      assert.deepEqual(wrongWith(on, snapshotWith(on, { reader: 'api' })), [], on.join(' and '))
    }
  })

  it('is shut by a wall in which its door is, and by no other', () => {
    const doors = legitimateFlows.flatMap(({ shut }) => (shut === undefined ? [] : [`${shut.on} ${shut.off}`]))
    assert.deepEqual([...new Set(doors)], ['20-network 30-cilium'])
  })
})

describe('a waypoint to come', () => {
  const waypoint: Pod = {
    key: 'shop/waypoint',
    namespace: 'shop',
    name: 'waypoint',
    workload: 'shop/waypoint',
    labels: { 'gateway.networking.k8s.io/gateway-name': 'waypoint', 'istio.io/dataplane-mode': 'none' },
    serviceAccount: 'waypoint',
    identity: 'spiffe://cluster.local/ns/shop/sa/waypoint',
    mesh: false,
    hostNetwork: false,
    node: 'bulkhead-worker',
    ip: '10.244.1.250',
    ports: [],
  }

  /** Whether the network takes a packet all the way. */
  function passes(from: Pod, to: Pod, port: number, snapshot: Snapshot, protocol: 'TCP' | 'UDP' = 'TCP'): boolean {
    const tuple = { src: from.ip, dst: to.ip, port, protocol }
    const out = judgeAt('cni-egress', { pod: from, peer: to, tuple }, snapshot)
    const into = judgeAt('cni-ingress', { pod: to, peer: from, tuple }, snapshot)
    return out.outcome === 'allow' && into.outcome === 'allow'
  }

  const podOf = (workload: string, snapshot: Snapshot): Pod =>
    [...snapshot.pods.values()].find((pod) => pod.workload === workload) ?? assert.fail(`no pod of ${workload}`)

  for (const on of combinations) {
    it(`has its ways with ${on.join(' and ') || 'no layer'} on`, () => {
      const snapshot = snapshotWith(on)
      const callers = ['shop/sleep', 'shop/web-api', 'shop/recommendation']
      if (on.includes('70-ingress')) callers.push('shop/shop-gateway-istio')
      for (const caller of callers) assert.ok(passes(podOf(caller, snapshot), waypoint, hbonePort, snapshot), caller)
      for (const called of ['shop/web-api', 'shop/recommendation', 'shop/purchase-history-v1'])
        assert.ok(passes(waypoint, podOf(called, snapshot), hbonePort, snapshot), called)
      assert.ok(passes(waypoint, snapshot.platform.istiod, 15012, snapshot))
      assert.ok(passes(waypoint, snapshot.platform.dns, 53, snapshot, 'UDP'))
      const node = snapshot.nodes.find(({ name }) => name === waypoint.node) ?? assert.fail()
      const probe = { src: node.ip, dst: waypoint.ip, port: 15021, protocol: 'TCP' } as const
      const said = judgeAt('cni-ingress', { pod: waypoint, peer: { ip: node.ip }, tuple: probe }, snapshot)
      assert.equal(said.outcome, 'allow', 'the kubelet asks whether it is ready')

      if (!on.includes('20-network')) return
      for (const stranger of ['shop/notsleep', 'shop/intruder', 'demo/hello-app'])
        assert.ok(!passes(podOf(stranger, snapshot), waypoint, hbonePort, snapshot), stranger)
      assert.ok(!passes(waypoint, podOf('shop/sleep', snapshot), hbonePort, snapshot))
    })
  }
})

/** Every workload to every other one, at each port that it declares. */
function pairs(snapshot: Snapshot): readonly { readonly from: Pod; readonly to: Pod }[] {
  const pods = [...snapshot.pods.values()]
  return pods.flatMap((from) => pods.filter((to) => to !== from).map((to) => ({ from, to })))
}

/** Those whose packets are let out and in, whatever ztunnel says then. */
function openPacketsOf(snapshot: Snapshot): readonly string[] {
  const open = pairs(snapshot).flatMap(({ from, to }) =>
    [...to.ports, hbone].flatMap(({ port, protocol }) => {
      const tuple = { src: from.ip, dst: to.ip, port, protocol }
      const out = judgeAt('cni-egress', { pod: from, peer: to, tuple }, snapshot)
      const into = judgeAt('cni-ingress', { pod: to, peer: from, tuple }, snapshot)
      const passes = out.outcome !== 'deny' && into.outcome !== 'deny'
      return passes ? [`${from.workload} -> ${to.workload}:${port}/${protocol}`] : []
    }),
  )
  return open.sort()
}

describe('what is not meant to work', () => {
  const snapshot = snapshotWith(layers)

  it('does not: of all pairs of pods at all their ports, those of the table are open and no other', () => {
    const open: string[] = []
    let asked = 0
    for (const { from, to } of pairs(snapshot)) {
      for (const { port, protocol } of [...to.ports, hbone]) {
        const flow: Flow = { from: { workload: from.workload }, to: { workload: to.workload }, port, protocol }
        const { outcome } = judge(flow, snapshot)
        assert.notEqual(outcome, 'unknown', describeFlow(flow))
        if (outcome === 'allow') open.push(describeFlow(flow))
        asked++
      }
    }
    assert.deepEqual(open.sort(), [...openPairs].sort())
    assert.ok(asked > 300, `${asked} asked`)
  })

  it('is nothing that the network sees: packets pass between those pairs alone, at 15008 and where UDP is meant', () => {
    assert.deepEqual(openPacketsOf(snapshot), openPackets)
  })

  it('is nothing that another network plugin sees either, with what it enforces of these', () => {
    const others = snapshotWith(
      layers.filter((layer) => layer !== '30-cilium'),
      { reader: 'api' },
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
    const bare = snapshotWith([])
    const flow: Flow = { from: { workload: 'demo/intruder' }, to: { workload: 'demo/postgres' }, port: 5432 }
    assert.equal(judge(flow, bare).outcome, 'allow')
    assert.equal(judge(flow, snapshot).outcome, 'deny')
  })
})
