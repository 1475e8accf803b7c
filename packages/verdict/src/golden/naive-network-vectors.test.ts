import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile } from '../model/compile.js'
import { ciliumVectors } from '../testing/cilium-vectors.js'
import { kubernetesVectors } from '../testing/kubernetes-vectors.js'
import { naiveNetwork } from '../testing/naive-network.js'
import { askEngine, disagreements, naivePacket, type Packet } from '../testing/network-ask.js'
import type { Ask, Vector } from '../testing/network-vectors.js'
import { naiveOf } from '../testing/network-world.js'
import * as make from '../testing/objects.js'

/*
 * The golden vectors of semantics G.1 and G.2, of both evaluators: that they agree says something only where they are right.
 */

const ports = [
  { name: 'serve-80-tcp', containerPort: 80 },
  { name: 'serve-81-tcp', containerPort: 81 },
  { name: 'http-8080', containerPort: 8080 },
  { name: 'serve-80-udp', containerPort: 80, protocol: 'UDP' },
]
const scene = [
  ...['x', 'y', 'z'].map((name) => make.namespace(name, { ns: name })),
  make.namespace('updated', { ns: 'y', ns2: 'updated' }),
  ...['x', 'y', 'z'].flatMap((ns) =>
    ['a', 'b', 'c'].map((name) => make.workload(`${ns}/${name}`, { labels: { pod: name }, ports })),
  ),
  make.workload('updated/a', { labels: { pod: 'a' }, ports }),
  make.workload('x/updated', { labels: { pod: 'b', pod2: 'updated' }, ports }),
  make.namespace('t'),
  make.workload('t/client', { labels: { name: 'client', kind: 'client' } }),
  make.workload('t/client2', { labels: { name: 'client2', kind: 'client', other: 'client' } }),
  make.workload('t/echo', { labels: { name: 'echo', kind: 'echo' }, ports }),
]
const bare = compile(scene)
const pods = new Map([...bare.pods.values(), bare.platform.dns].map((pod) => [pod.workload, pod]))

function packetOf({ from, to, at, says: _says, reads: _reads, port, protocol = 'TCP', ...rest }: Ask): Packet {
  const [pod, other] = at === 'egress' ? [pods.get(from), to] : [pods.get(to), from]
  assert.ok(pod)
  const node = (own: boolean): string => bare.nodes.find(({ name }) => (name === pod.node) === own)?.ip ?? ''
  const ip = other === 'node' ? node(true) : other === 'other-node' ? node(false) : other
  // G.1's vectors are about port 80, G.2's about echo's 8080.
  const usual = pod.namespace === 't' ? 8080 : 80
  return { direction: at, pod, peer: pods.get(other) ?? { ip }, port: port ?? usual, protocol, ...rest }
}

function both(vectors: readonly Vector[]): void {
  for (const { line, policies, network = {}, asks } of vectors) {
    const snapshot = compile([...scene, ...policies], { network })
    const world = naiveOf(snapshot, policies, network)
    asks.forEach((ask, index) => {
      test(`${line}.${index + 1}: ${ask.from} -> ${ask.to} at ${ask.at}: ${ask.says}`, () => {
        const packet = packetOf(ask)
        const naive = naiveNetwork(world, naivePacket(packet))
        assert.deepEqual([naive.why, naive.reads], [[ask.says], ask.reads === undefined ? [] : [ask.reads]])
        assert.deepEqual(disagreements(naive, askEngine(packet, snapshot)), [])
      })
    })
  }
}

both(kubernetesVectors((workload) => pods.get(workload)?.ip ?? ''))
both(ciliumVectors)
