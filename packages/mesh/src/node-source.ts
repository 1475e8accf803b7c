import { hostOf, type Pod, type Snapshot } from '@bulkhead/verdict'
import type { Carrier, Ends } from './carrier.js'
import type { Flow } from './flows.js'
import { PROBE_ADDRESS } from './kubelet.js'
import type { Station } from './network.js'
import type { NetworkSource } from './network-source.js'
import { unread } from './obstacles.js'
import type { Route } from './route.js'
import type { DialAnswer } from './seams.js'

/** The key under which what runs on a node itself speaks; no pod's has a space. */
export const nodeKey = (name: string): string => `node ${name}`

export const isNode = ({ key }: { readonly key: string }): boolean => key.startsWith('node ')

/** Who speaks under that key: a pod of the manifests, or a node itself, as the engine has it. */
export function callerOf(snapshot: Snapshot, key: string): Pod | undefined {
  const pod = snapshot.pods.get(key)
  if (pod !== undefined) return pod
  const nodes = [...snapshot.nodes, snapshot.platform.controlPlane]
  const node = nodes.find(({ name }) => nodeKey(name) === key)
  return node && hostOf(node)
}

/** Where its packets come from: a node has an address and no policies of its own here. */
export const speakerOf = (caller: Pod): Station => (isNode(caller) ? { ip: caller.ip } : caller)

/** What runs on a node, outside of every pod: its address, no identity, and its own pods' ztunnel is not asked about it. */
export class NodeSource {
  readonly #parts: { readonly carrier: Carrier; readonly fromNetwork: NetworkSource }

  constructor(parts: { readonly carrier: Carrier; readonly fromNetwork: NetworkSource }) {
    this.#parts = parts
  }

  dial(flow: Flow, node: Pod, route: Exclude<Route, { kind: 'no-name' | 'loopback' }>, ends: Ends): DialAnswer {
    const { carrier, fromNetwork } = this.#parts
    if (route.kind === 'outside') {
      flow.step(unread({ what: 'traffic between places outside of the pods' }))
      flow.fail({ flag: 'CONNECT', symptom: 'refused', error: 'what a node sends to no pod is not played here' })
      return carrier.accept(flow, [], ends, async (client) => client.reset())
    }
    const ip = addressAt(node, route)
    flow.source = { ...flow.source, ip }
    return fromNetwork.dial(flow, { ip }, route, { ...ends, local: { ...ends.local, ip } })
  }
}

/** istio-cni gives what a node sends to a captured pod of its own the probes' address, as it cannot tell them apart (C.8). */
function addressAt(node: Pod, route: Parameters<NodeSource['dial']>[2]): string {
  const own = route.kind === 'pod' && route.pod.mesh && route.pod.node === node.node
  return own ? PROBE_ADDRESS : node.ip
}
