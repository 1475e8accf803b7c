import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { Address, Outside, Place } from '../seams.js'
import { isRealHost, isStandIn, REAL_HOSTS, StandInNames } from './addresses.js'
import { createOutsideCa } from './ca.js'
import { RealHostDialer, type World, world } from './real.js'
import { type Role, StandIn } from './stand-in.js'

/** `auto`: each of the two hosts for real if it can be reached at the start, else the stand-in for it. */
export type OutsideMode = 'auto' | 'real' | 'stand-in'

/** Who answers for a host. */
export interface OutsideHost {
  readonly host: string
  readonly by: 'real' | 'stand-in'
  /** Of the stand-in. */
  readonly address?: string
}

export interface OutsideOptions {
  readonly mode: OutsideMode
  /** A private folder for the stand-in's sockets. */
  readonly runDir: string
  /** The API server, as who answers at the control plane's node; without it the stand-in refuses everybody there. */
  readonly apiServer?: (signal?: AbortSignal) => Promise<Duplex>
  /** For tests: the way to the real world. */
  readonly world?: World
  /** How long `auto` looks. Default 1.5 s. */
  readonly lookMs?: number
}

export interface RunningOutside extends Outside {
  readonly hosts: readonly OutsideHost[]
  /** The root of the stand-in's certificates, PEM: what a pod has to trust so that it takes the stand-in for those hosts. */
  readonly root: string
}

const LOOK_MS = 1_500
const RESOLVE_MS = 2_000
/** What a cloud has there; never dialled for real. */
const METADATA = '169.254.169.254'
const API_SERVER_PORT = 6443
const KUBELET_PORT = 10250
const ISTIOD_PORTS: readonly number[] = [15010, 15012, 15017]
/** Its metrics, and its pages for debugging, in plain HTTP. */
const ISTIOD_DEBUG_PORT = 15014

const failure = (code: string, { ip, port }: Address, why: string) =>
  Object.assign(new Error(`connect ${code} ${ip}:${port}: ${why}`), { code })

/**
 * The outside of a local target. Of the real world only two hosts are ever dialled, at port 443, and only where they are
 * asked for and answer; everything else is played by a stand-in in this process, or not there.
 */
export async function createOutside(options: OutsideOptions): Promise<RunningOutside> {
  const { mode, runDir, world: over = world, lookMs = LOOK_MS } = options
  const dialers = REAL_HOSTS.map((host) => new RealHostDialer(host, over))
  const reached = await Promise.all(
    dialers.map(async (dialer) => mode === 'real' || (mode === 'auto' && (await dialer.answers(lookMs)))),
  )
  const real = dialers.filter((_, index) => reached[index])
  const names = new StandInNames()
  const played = REAL_HOSTS.filter((host) => !real.some((dialer) => dialer.host === host))
  const ca = await createOutsideCa([...played, 'example'])
  const folder = join(runDir, 'o')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const has = (name: string) => (played as readonly string[]).includes(name) || name.endsWith('.example')
  return new LocalOutside(real, played, names, new StandIn({ folder, ca, has }), ca.root, options.apiServer)
}

class LocalOutside implements RunningOutside {
  readonly #real: readonly RealHostDialer[]
  readonly #names: StandInNames
  readonly #standIn: StandIn
  readonly #apiServer: OutsideOptions['apiServer']
  readonly hosts: readonly OutsideHost[]
  readonly root: string

  constructor(
    real: readonly RealHostDialer[],
    played: readonly string[],
    names: StandInNames,
    standIn: StandIn,
    root: string,
    apiServer: OutsideOptions['apiServer'],
  ) {
    this.#apiServer = apiServer
    this.#real = real
    this.#names = names
    this.#standIn = standIn
    this.root = root
    this.hosts = REAL_HOSTS.map((host) => {
      const address = names.addressOf(host)
      return played.includes(host)
        ? { host, by: 'stand-in', ...(address !== undefined && { address }) }
        : { host, by: 'real' }
    })
  }

  async resolve(name: string): Promise<readonly string[] | undefined> {
    const real = isRealHost(name) ? this.#real.find(({ host }) => host === name) : undefined
    if (real !== undefined) return real.resolve(RESOLVE_MS)
    const address = this.#names.addressOf(name)
    return address === undefined ? undefined : [address]
  }

  async dial(to: Address, place: Place, signal?: AbortSignal): Promise<Duplex> {
    const role = roleAt(to, place)
    if (role === 'api-server' && this.#apiServer !== undefined) return this.#apiServer(signal)
    if (role !== undefined) return this.#standIn.dial(role, signal)
    if (place !== 'world') throw failure('ECONNREFUSED', to, 'nothing listens there')
    const real = to.port === 443 ? this.#real.find((dialer) => dialer.has(to.ip)) : undefined
    if (real !== undefined) return real.dial(to.ip, signal)
    throw failure('ETIMEDOUT', to, 'nobody answers there')
  }

  datagram(to: Address, place: Place, data: Uint8Array, reply: (data: Uint8Array) => void): boolean {
    if (place !== 'world' || !isStandIn(to.ip)) return false
    reply(Buffer.from(`stand-in: ${data.length} bytes`))
    return true
  }

  close(): Promise<void> {
    return this.#standIn.close()
  }
}

/** What the stand-in plays at an address; undefined: nothing. */
function roleAt({ ip, port }: Address, place: Place): Role | undefined {
  switch (place) {
    case 'world':
      if (ip === METADATA) return port === 80 ? 'metadata' : undefined
      if (!isStandIn(ip)) return undefined
      return port === 443 ? 'web-tls' : port === 80 ? 'web' : undefined
    case 'control-plane':
      return port === API_SERVER_PORT ? 'api-server' : port === KUBELET_PORT ? 'kubelet' : undefined
    case 'node':
      return port === KUBELET_PORT ? 'kubelet' : undefined
    case 'istiod':
      return ISTIOD_PORTS.includes(port) ? 'istiod' : port === ISTIOD_DEBUG_PORT ? 'istiod-debug' : undefined
    case 'dns':
      return undefined
  }
}
