import type { Pod, Snapshot, WaypointEvidence, WaypointVerdict } from '@bulkhead/verdict'
import type { Context } from '../context.js'
import type { Peer } from '../hbone-server.js'
import type { Address } from '../seams.js'

/** What came to a waypoint: who, by the verified certificate and the address on the wire, and for whom. */
export class Arrival {
  readonly peer: Peer
  /** As CONNECT names it. */
  readonly target: Address
  readonly #key: string
  readonly #context: Context
  #snapshot: Snapshot | undefined
  #to: WaypointEvidence['to'] | undefined

  constructor(key: string, peer: Peer, target: Address, context: Context) {
    this.#key = key
    this.peer = peer
    this.target = target
    this.#context = context
  }

  /** The Service, or the pod, as those policies know it; undefined for what the waypoint does not serve. */
  to(snapshot: Snapshot): WaypointEvidence['to'] | undefined {
    if (snapshot !== this.#snapshot) {
      const waypoint = snapshot.pods.get(this.#key)
      this.#to = waypoint && this.#context.servedAt(waypoint, this.target, snapshot)
      this.#snapshot = snapshot
    }
    return this.#to
  }

  /** The waypoint's word on it; undefined where it no longer serves it. */
  judge(waypoint: Pod, snapshot: Snapshot, request?: WaypointEvidence['request']): WaypointVerdict | undefined {
    const to = this.to(snapshot)
    if (to === undefined) return undefined
    const { ip, identity } = this.peer
    const evidence = { waypoint, peer: { ip, identity }, to, ...(request && { request }) }
    return this.#context.judgeAt('waypoint', evidence, snapshot)
  }
}

/** What a port of a Service is declared to carry; undefined where nobody says. */
export function applicationOf(to: WaypointEvidence['to']): 'http' | 'tcp' | undefined {
  if (!('service' in to)) return undefined
  return to.service.ports.find(({ port, protocol }) => port === to.port && protocol === 'TCP')?.application
}
