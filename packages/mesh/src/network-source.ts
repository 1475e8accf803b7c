import { type Pod, type Snapshot, walkedPast } from '@bulkhead/verdict'
import { type Carrier, type Ends, podsOf, type Word } from './carrier.js'
import type { Context } from './context.js'
import type { Flow } from './flows.js'
import { HBONE_PORT, type Inbound, ZTUNNEL_PORTS } from './inbound.js'
import { PROBE_ADDRESS } from './kubelet.js'
import type { Station } from './network.js'
import { noEndpoint, noSuchPort, pastZtunnel, unreachable } from './obstacles.js'
import { carryRaw } from './raw-hbone.js'
import { type DeadRoute, nextHopOn, type PodRoute } from './route.js'
import type { DialAnswer } from './seams.js'

export interface NetworkSourceParts {
  readonly context: Context
  readonly carrier: Carrier
  readonly inbound: Inbound
  readonly token: Buffer
}

/** A pod outside the mesh, or a caller outside the cluster: no proxy, so what the network says comes before the connect is answered, and all is plaintext. */
export class NetworkSource {
  readonly #parts: NetworkSourceParts

  constructor(parts: NetworkSourceParts) {
    this.#parts = parts
  }

  dial(flow: Flow, source: Station, route: PodRoute | DeadRoute, ends: Ends): DialAnswer {
    const { context, carrier } = this.#parts
    const { snapshot } = context.policy()
    const { past } = nextHopOn(context, callerAt(source, snapshot), route, snapshot)
    if (past !== undefined) flow.goesPast(walkedPast(past, snapshot))
    const to = route.kind === 'pod' ? route.pod : { ip: route.remote.ip }
    const port = route.kind === 'pod' ? route.port : route.remote.port
    // To a Service without an endpoint, or without that port, no packet leaves.
    const leaves = route.kind === 'pod' || route.kind === 'unreachable'
    const word: Word = leaves ? carrier.word(flow, { source, to, port }) : { passes: true }
    if (!word.passes) {
      const error = 'connection timed out: a network policy drops the packet'
      flow.fail({ flag: 'NETWORK_POLICY', symptom: 'timeout', error })
      flow.end()
      return { kind: 'drop' }
    }
    return route.kind === 'pod' ? this.#toPod(flow, source, route, ends, word.reads) : this.#nowhere(flow, route)
  }

  #nowhere(flow: Flow, route: DeadRoute): DialAnswer {
    const { ip, port } = route.remote
    if (route.kind === 'unreachable') {
      flow.step(unreachable(ip))
      flow.fail({ flag: 'CONNECT', symptom: 'timeout', error: `connection timed out: no route to host ${ip}` })
      flow.end()
      return { kind: 'drop' }
    }
    const dead = route.kind === 'no-endpoint'
    const error = dead ? `Service ${route.service} has no ready pod` : `Service ${route.service} has no port ${port}`
    flow.step(route.kind === 'no-endpoint' ? noEndpoint(route.service) : noSuchPort(route))
    flow.fail({ flag: dead ? 'NO_ENDPOINT' : 'CONNECT', symptom: 'refused', error })
    flow.end()
    return { kind: 'error', code: 'ECONNREFUSED', message: `connect ECONNREFUSED ${ip}:${port}: ${error}` }
  }

  #toPod(flow: Flow, source: Station, { pod, port }: PodRoute, ends: Ends, reads: Word['reads']): DialAnswer {
    const { context, carrier, inbound } = this.#parts
    const packet = { source, to: pod, port }
    const pods = podsOf(source, pod)
    if (reads !== undefined && port === HBONE_PORT && !carrier.passes(flow, packet)) {
      const error = 'connection closed: what goes through a tunnel cannot be read, and a network policy wants to'
      flow.fail({ flag: 'DENY', symptom: 'reset', error })
      return carrier.accept(flow, pods, ends, async (client) => client.reset())
    }
    if (port === HBONE_PORT && (pod.mesh || pod.waypoint !== undefined)) return this.#rawHbone(flow, source, pod, ends)
    if (pod.mesh && ZTUNNEL_PORTS.includes(port)) return carrier.illegal(flow, ends, pod.workload)
    const { local } = ends
    const past = pod.mesh && source.ip === PROBE_ADDRESS
    if (past) flow.step(pastZtunnel(pod.workload))
    // A proxy that reads has to accept first.
    if (reads === undefined && !context.listening(pod.key).includes(port)) {
      // A refusal by policy is a reset; only what policy lets through learns that nothing listens.
      if (past || !pod.mesh || inbound.admitsPlaintext(flow, pod.key, port, local))
        return carrier.refuse(flow, pod, { ip: pod.ip, port })
      return carrier.accept(flow, pods, ends, async (client) => client.reset())
    }
    return carrier.accept(flow, pods, ends, (client) =>
      carrier.through(flow, packet, reads, client, (carried, end) =>
        // As it is labelled now: a pod may have been taken into the mesh since the connect was answered.
        !past && context.policy().snapshot.pods.get(pod.key)?.mesh
          ? inbound.plaintext(carried, pod.key, port, local, end)
          : inbound.deliver(carried, pod.key, port, local, end),
      ),
    )
  }

  /** To a pod's HBONE port as it is: the client speaks TLS itself, with whatever certificate it has. */
  #rawHbone(flow: Flow, source: Station, pod: Pod, ends: Ends): DialAnswer {
    const { context, carrier } = this.#parts
    flow.transport = 'hbone'
    const path = context.hbonePath(pod.key)
    if (path === undefined) return carrier.refuse(flow, pod, ends.remote)
    return carrier.accept(flow, podsOf(source, pod), ends, (client) =>
      carryRaw(this.#parts, flow, { source, to: pod, path }, ends, client),
    )
  }
}

/** A pod of the manifests, or an address that is none's. */
const callerAt = ({ key, ip }: Station, { pods }: Snapshot): Pod | { readonly ip: string } =>
  (key === undefined ? undefined : pods.get(key)) ?? { ip }
