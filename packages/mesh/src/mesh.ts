import { chmod, mkdir } from 'node:fs/promises'
import type { Duplex } from 'node:stream'
import type { FlowRecord, Snapshot } from '@bulkhead/verdict'
import { type CertificateAuthority, createCa, loot, type WorkloadCertificate } from './ca.js'
import { Carrier } from './carrier.js'
import { Connections } from './connections.js'
import type { Context, Engine, Policy } from './context.js'
import { Datagrams } from './datagrams.js'
import { Names } from './dns/names.js'
import { Egress } from './egress/egress.js'
import { FlowLog } from './flows.js'
import { Doors } from './gateway/publish.js'
import { HbonePool, type TunnelInfo } from './hbone-client.js'
import type { HboneServerOptions } from './hbone-server.js'
import { Inbound } from './inbound.js'
import { dialAsKubelet } from './kubelet.js'
import { Members } from './members.js'
import { MeshSource } from './mesh-source.js'
import { NetworkSource } from './network-source.js'
import { NodePorts } from './node-port.js'
import { callerOf, NodeSource, nodeKey } from './node-source.js'
import { Outbound } from './outbound.js'
import { nowhere } from './outside/nowhere.js'
import { Proxies } from './proxy/proxies.js'
import type { ProxyTimeouts } from './proxy/proxy-pod.js'
import { newToken } from './proxy-header.js'
import type { Capture, Dialer } from './seams.js'
import { sourcePorts } from './source-ports.js'
import type { Grant, MeshApi, MeshOptions, Published } from './types.js'

const CONNECT_TIMEOUT_MS = 1_000
/** ztunnel's connect timeout. Nothing is dropped on the way to a socket here, so only a machine out of breath comes near it. */
const TUNNEL_TIMEOUT_MS = 10_000
const FLOW_RING = 10_000
/** Whoever speaks TLS begins at once. Envoy waits 15 s. */
const FIRST_BYTES_MS = 5_000

/** What the mesh is put together from. */
export interface MeshParts extends Engine {
  /** Takes pods' connections over; asks `dialer` about each. */
  readonly makeCapture: (dialer: Dialer) => Promise<Capture>
  /** For tests: how long a peer may stall at an HBONE port. */
  readonly hboneTimeouts?: Pick<HboneServerOptions, 'handshakeTimeoutMs' | 'idleTimeoutMs'>
  /** For tests: how long a client may stall at a gateway or a waypoint, and what chooses among weighted backends (0 up to 1). */
  readonly gatewayTimeouts?: ProxyTimeouts
  readonly random?: () => number
  /** For tests: how long a client may say nothing where a wall has to read what it carries. */
  readonly firstBytesMs?: number
}

/** The local data plane. One process plays both nodes: certificates, sockets and sessions belong to pods, not to nodes. */
export class Mesh implements MeshApi {
  readonly #ca: CertificateAuthority
  readonly #flows: FlowLog
  readonly #connections = new Connections()
  readonly #members: Members
  readonly #token = newToken()
  readonly #pool: HbonePool
  readonly #outbound: Outbound
  readonly #datagrams: Datagrams
  readonly #names: Names
  readonly #proxies: Proxies
  readonly #doors: Doors
  readonly #context: Context
  readonly #carrier: Carrier
  readonly #turns = new Map<string, number>()
  /** Nodes that have spoken, by key. */
  readonly #nodes = new Map<string, Promise<void>>()
  /** Pods that are being removed. */
  readonly #leaving = new Map<string, Promise<void>>()
  #policy: Policy
  #capture: Capture | undefined
  readonly #nextSourcePort = sourcePorts()
  #closing: Promise<void> | undefined

  private constructor(options: MeshOptions, parts: MeshParts, ca: CertificateAuthority) {
    const { connectTimeoutMs = CONNECT_TIMEOUT_MS, log } = options
    this.#ca = ca
    this.#policy = { snapshot: options.snapshot, generation: 0 }
    this.#flows = new FlowLog(options.flowRing ?? FLOW_RING, log)
    const context: Context = {
      judgeAt: parts.judgeAt,
      nextHop: parts.nextHop,
      servedAt: parts.servedAt,
      flows: this.#flows,
      connections: this.#connections,
      inFlight: new Map(),
      raw: new Map(),
      connectTimeoutMs,
      firstBytesMs: parts.firstBytesMs ?? FIRST_BYTES_MS,
      log,
      policy: () => this.#policy,
      capture: () => this.#captured(),
      proxy: (key) => this.#proxies.get(key),
      listening: (key) => this.listening(key),
      hbonePath: (key) => this.#members.hbonePath(key),
      sourcePort: this.#nextSourcePort,
    }
    const endpoints = {
      isReady: (key: string) => this.#members.isReady(key),
      turn: (service: string) => {
        const turn = this.#turns.get(service) ?? 0
        this.#turns.set(service, turn + 1)
        return turn
      },
    }
    this.#context = context
    this.#pool = new HbonePool({
      token: this.#token,
      root: ca.root,
      trustDomain: ca.trustDomain,
      timeoutMs: TUNNEL_TIMEOUT_MS,
      sourcePort: context.sourcePort,
    })
    const inbound = new Inbound(context)
    const carrier = new Carrier(context, parts.gatewayTimeouts)
    this.#carrier = carrier
    const fromNetwork = new NetworkSource({ context, carrier, inbound, token: this.#token })
    const members = new Members({
      runDir: options.runDir,
      ca,
      token: this.#token,
      log,
      identityOf: (pod) => options.identityOf?.(pod.key) ?? pod.identity,
      podOf: (key) => this.#policy.snapshot.pods.get(key),
      handlerOf: (key) => inbound.handlerOf(key),
      rotated: (key, serial) => this.#pool.retire(key, serial),
      left: (key) => this.#pool.cut(key),
      timeouts: parts.hboneTimeouts,
    })
    this.#members = members
    const { outside = nowhere } = options
    const names = new Names(context, outside)
    this.#names = names
    this.#outbound = new Outbound({
      context,
      carrier,
      endpoints,
      fromMesh: new MeshSource({
        context,
        carrier,
        inbound,
        endpoints,
        pool: this.#pool,
        tunnelSource: (pod) => members.tunnelSource(pod),
      }),
      fromNetwork,
      fromNode: new NodeSource({ carrier, fromNetwork }),
      nodePorts: new NodePorts({ context, carrier, inbound }),
      egress: new Egress({ context, carrier, outside, learned: (pod, ip) => names.learned.names(pod, ip) }),
      names,
      identity: (pod) => members.identity(pod.key),
    })
    this.#datagrams = new Datagrams({ context, endpoints, names, outside })
    this.#proxies = new Proxies({
      context,
      carrier,
      endpoints,
      pool: this.#pool,
      tunnelSource: (pod) => members.tunnelSource(pod),
      identity: (pod) => members.identity(pod.key),
      random: parts.random,
      timeouts: parts.gatewayTimeouts,
      token: this.#token,
    })
    this.#doors = new Doors({ context, endpoints, fromNetwork })
  }

  static async start(options: MeshOptions, parts: MeshParts): Promise<Mesh> {
    await mkdir(options.runDir, { recursive: true, mode: 0o700 })
    // Sockets in it are as good as the apps behind them, so nobody else may reach it, whoever made it.
    await chmod(options.runDir, 0o700)
    const { trustDomain, certificateTtlMs } = options
    const ca = await createCa({
      ...(trustDomain !== undefined && { trustDomain }),
      ...(certificateTtlMs !== undefined && { ttlMs: certificateTtlMs }),
    })
    const mesh = new Mesh(options, parts, ca)
    mesh.#capture = await parts.makeCapture(mesh.#dialer())
    return mesh
  }

  get generation(): number {
    return this.#policy.generation
  }

  async addPod(key: string): Promise<void> {
    // A pod of that name that is still on its way out would take this one along.
    await this.#leaving.get(key)?.catch(() => {})
    const pod = this.#policy.snapshot.pods.get(key)
    if (pod === undefined)
      throw new Error(`no pod ${JSON.stringify(key)} in the snapshot: swap in one that has it first`)
    if (this.#members.has(key)) throw new Error(`pod ${JSON.stringify(key)} is there already`)
    try {
      await this.#members.add(pod, () => this.#captured().addPod({ key, name: pod.name, ip: pod.ip }))
      await this.#proxies.add(pod)
    } catch (error) {
      await this.removePod(key)
      throw error
    }
  }

  async removePod(key: string): Promise<void> {
    const leaving = this.#leaving.get(key)
    if (leaving !== undefined || !this.#members.has(key)) return leaving
    const left = this.#leave(key).finally(() => this.#leaving.delete(key))
    this.#leaving.set(key, left)
    await left
  }

  async #leave(key: string): Promise<void> {
    // While it still has what its requests in flight need.
    await this.#proxies.remove(key)
    const removed = this.#members.remove(key)
    this.#connections.closeOf(key)
    this.#pool.cut(key)
    await removed
    this.#names.learned.forget(key)
    await this.#captured().removePod(key)
  }

  setReady(key: string, ready: boolean): void {
    this.#members.setReady(key, ready)
  }

  grant(key: string, options: { run?: string; socks?: boolean } = {}): Grant {
    if (!this.#members.has(key) && !this.#nodes.has(key)) throw new Error(`no pod ${JSON.stringify(key)} is up`)
    return this.#captured().grant(key, options)
  }

  async addNode(node: string): Promise<string> {
    const key = nodeKey(node)
    const host = callerOf(this.#policy.snapshot, key)
    if (host === undefined) throw new Error(`there is no node ${JSON.stringify(node)}`)
    const { name, ip } = host
    const added = this.#nodes.get(key) ?? this.#captured().addPod({ key, name, ip })
    this.#nodes.set(key, added)
    await added
    return key
  }

  listening(key: string): readonly number[] {
    return this.#proxies.get(key)?.ports ?? this.#captured().listening(key)
  }

  privateSocket(key: string, port: number): string | undefined {
    return this.#captured().privateSocket(key, port)
  }

  dialAsKubelet(key: string, port: number, signal?: AbortSignal): Promise<Duplex> {
    return dialAsKubelet(this.#context, this.#carrier, (...to) => this.#proxies.dial(...to), key, port, signal)
  }

  publish(service: string, servicePort: number, options: { at: number; run?: string }): Promise<Published> {
    return this.#doors.publish(service, servicePort, options)
  }

  swap(snapshot: Snapshot, generation: number, { inOrder = false }: { inOrder?: boolean } = {}): number {
    this.#policy = { snapshot, generation, ...(inOrder && { before: this.#policy.snapshot }) }
    const closed = this.#connections.rejudge(this.#policy, inOrder)
    this.#members.reenroll()
    this.#proxies.sync()
    return closed
  }

  enrolled(): Promise<void> {
    return this.#members.enrolled()
  }

  calls(): readonly { readonly from: string; readonly to: string }[] {
    return this.#connections.calls()
  }

  approaching(key: string): number {
    return [...this.#flows.approaching.values()].filter((pod) => pod === key).length
  }

  flows(filter?: { run?: string }): readonly FlowRecord[] {
    return this.#flows.records(filter)
  }

  onFlow(listener: (record: FlowRecord) => void): () => void {
    return this.#flows.onFlow(listener)
  }

  loot(kind: 'expired' | 'stolen', identity: string): Promise<{ certificate: string; key?: string }> {
    return loot(this.#ca, kind, identity)
  }

  /** A real certificate with its key, as an owned pod has it. For tests; no API offers it. */
  issue(identity: string): Promise<WorkloadCertificate> {
    return this.#ca.issue(identity)
  }

  /** The unix socket of a pod's port 15008; undefined for a pod that has none. */
  hbonePath(key: string): string | undefined {
    return this.#members.hbonePath(key)
  }

  /** The HTTP/2 sessions that are open, and how many handshakes there have been. */
  tunnels(): { readonly open: readonly TunnelInfo[]; readonly handshakes: number } {
    return { open: this.#pool.tunnels(), handshakes: this.#pool.handshakes }
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.#connections.size
  }

  /** What it keeps of connections, by kind: nothing, when nothing goes through it. For tests. */
  get held(): Readonly<Record<string, number>> {
    const { connections, inFlight, raw } = this.#context
    return {
      connections: connections.size,
      'connections in flight': inFlight.size,
      'connections on their way': this.#flows.approaching.size,
      'raw connections': raw.size,
      'learned names': this.#names.learned.size,
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#doors.close()
    await Promise.all(this.#members.keys().map((key) => this.removePod(key)))
    this.#datagrams.close()
    this.#carrier.close()
    await this.#pool.close()
    await this.#captured().close()
  }

  #dialer(): Dialer {
    return {
      dial: (request) => this.#outbound.dial(request),
      resolve: (...args) => this.#datagrams.resolve(...args),
      datagram: (...args) => this.#datagrams.send(...args),
      unbound: (...args) => this.#datagrams.unbound(...args),
    }
  }

  #captured(): Capture {
    if (this.#capture === undefined) throw new Error('the mesh is not up yet')
    return this.#capture
  }
}
