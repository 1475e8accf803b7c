import { join } from 'node:path'
import type { Pod } from '@bulkhead/verdict'
import type { CertificateAuthority } from './ca.js'
import { Credentials } from './credentials.js'
import { type HboneHandler, HboneServer, type HboneServerOptions } from './hbone-server.js'
import type { TunnelSource } from './hbone-session.js'
import type { MeshLog } from './types.js'

/** A pod that is up. A pod outside the mesh has no certificate and no HBONE port, unless it is a waypoint's; a gateway's has the certificate only. */
interface Member {
  readonly key: string
  ready: boolean
  /** Being taken into the mesh, or out of it. */
  moving: boolean
  /** Its last way into the mesh or out of it; never rejects. */
  moved?: Promise<unknown>
  proxy?: { readonly credentials: Credentials; readonly port?: { readonly server: HboneServer; readonly path: string } }
}

export interface MembersOptions {
  readonly runDir: string
  readonly ca: CertificateAuthority
  readonly token: Buffer
  readonly log: MeshLog | undefined
  /** Whom a pod's certificate names. */
  readonly identityOf: (pod: Pod) => string
  /** The pod as the policies in force know it. */
  readonly podOf: (key: string) => Pod | undefined
  readonly handlerOf: (key: string) => HboneHandler
  /** The pod has another certificate now. */
  readonly rotated: (key: string, serial: string) => void
  /** The pod has left the mesh: its sessions are to go. */
  readonly left: (key: string) => void
  readonly timeouts: Pick<HboneServerOptions, 'handshakeTimeoutMs' | 'idleTimeoutMs'> | undefined
}

/** The pods that are up, and for those in the mesh what istio-cni and istiod give a pod: a certificate and port 15008. */
export class Members {
  readonly #options: MembersOptions
  readonly #members = new Map<string, Member>()
  #sockets = 0

  constructor(options: MembersOptions) {
    this.#options = options
  }

  has(key: string): boolean {
    return this.#members.has(key)
  }

  keys(): readonly string[] {
    return [...this.#members.keys()]
  }

  isReady(key: string): boolean {
    return this.#members.get(key)?.ready ?? false
  }

  setReady(key: string, ready: boolean): void {
    const member = this.#members.get(key)
    if (member) member.ready = ready
  }

  /** The unix socket of a pod's port 15008; undefined for a pod that has none. */
  hbonePath(key: string): string | undefined {
    return this.#members.get(key)?.proxy?.port?.path
  }

  /** Whom a pod's certificate names. */
  identity(key: string): string | undefined {
    return this.#members.get(key)?.proxy?.credentials.current.identity
  }

  /** What a pod opens tunnels with. */
  async tunnelSource({ key, ip }: Pod): Promise<TunnelSource | undefined> {
    const certificate = await this.#members.get(key)?.proxy?.credentials.fresh()
    return certificate && { key, ip, certificate }
  }

  /** A new pod; it is not ready. */
  async add(pod: Pod, capture: () => Promise<void>): Promise<void> {
    const member: Member = { key: pod.key, ready: false, moving: true }
    this.#members.set(pod.key, member)
    await capture()
    if (hasIdentity(pod) && this.#members.get(pod.key) === member) {
      const enrolled = this.#enroll(member, pod)
      member.moved = enrolled.catch(() => {})
      await enrolled
    }
    member.moving = false
    // Its label may have changed while it came.
    await this.#move(member)
  }

  /** Gone at once; resolves when its port is closed, one that was only being opened too. */
  async remove(key: string): Promise<void> {
    const member = this.#members.get(key)
    this.#members.delete(key)
    if (member) await Promise.all([this.#withdraw(member), member.moved])
  }

  /** A label that takes a running pod into the mesh, or out of it, holds from now on (no restart, as under ambient). */
  reenroll(): void {
    for (const member of this.#members.values()) void this.#move(member)
  }

  /** Resolves when no pod is on its way into the mesh, or out of it. */
  async enrolled(): Promise<void> {
    for (;;) {
      const moving = [...this.#members.values()].flatMap((member) => (member.moving ? (member.moved ?? []) : []))
      if (moving.length === 0) return
      await Promise.all(moving)
      // Whoever has moved may have to move again.
      await new Promise(setImmediate)
    }
  }

  async #enroll(member: Member, pod: Pod): Promise<void> {
    const { runDir, ca, token, log, timeouts, identityOf, handlerOf, rotated } = this.#options
    const { key } = member
    const credentials = await Credentials.obtain(ca, identityOf(pod), (serial) => rotated(key, serial), log)
    if (!hasPort(pod)) {
      member.proxy = { credentials }
      if (this.#members.get(key) !== member) await this.#withdraw(member)
      return
    }
    this.#sockets += 1
    const path = join(runDir, 'hbone', `${this.#sockets}.sock`)
    try {
      const server = await HboneServer.listen({
        path,
        token,
        root: ca.root,
        trustDomain: ca.trustDomain,
        certificate: () => credentials.fresh(),
        handler: handlerOf(key),
        log,
        ...timeouts,
      })
      member.proxy = { credentials, port: { server, path } }
    } catch (error) {
      credentials.close()
      throw error
    }
    // Removed meanwhile: nothing of it may stay.
    if (this.#members.get(key) !== member) await this.#withdraw(member)
  }

  async #withdraw(member: Member): Promise<void> {
    const { proxy } = member
    delete member.proxy
    proxy?.credentials.close()
    await proxy?.port?.server.close()
  }

  async #move(member: Member): Promise<void> {
    const { podOf } = this.#options
    if (this.#members.get(member.key) !== member) return
    const pod = podOf(member.key)
    if (member.moving || pod === undefined || isAsItIs(member, pod)) return
    member.moving = true
    member.moved = this.#change(member, pod)
    await member.moved
    member.moving = false
    // The policies may have changed again while it moved.
    const now = podOf(member.key)
    if (now !== undefined && !isAsItIs(member, now)) await this.#move(member)
  }

  async #change(member: Member, pod: Pod): Promise<void> {
    const { left, log } = this.#options
    try {
      if (member.proxy !== undefined) {
        left(member.key)
        await this.#withdraw(member)
      }
      if (hasIdentity(pod) && this.#members.get(member.key) === member) await this.#enroll(member, pod)
    } catch (error) {
      log?.error({ err: error, pod: member.key }, 'the pod could not be taken into the mesh or out of it')
    }
  }
}

/** Who takes tunnels: the captured pods, by their ztunnel, and a waypoint's proxy. */
const hasPort = (pod: Pod): boolean => pod.mesh || pod.waypoint !== undefined

/** Whom istiod gives a certificate: these, and a gateway's proxy, which is a client of theirs. */
const hasIdentity = (pod: Pod): boolean => hasPort(pod) || pod.gateway !== undefined

const isAsItIs = ({ proxy }: Member, pod: Pod): boolean =>
  hasIdentity(pod) === (proxy !== undefined) && hasPort(pod) === (proxy?.port !== undefined)
