import type { MeshApi, Published } from '@bulkhead/mesh'
import type { Snapshot } from '@bulkhead/verdict'
import type { PublishedPort } from './cluster-types.js'
import { messageOf, systemCode } from './errors.js'

interface Wanted {
  readonly service: string
  readonly port: number
  /** 0: any. */
  readonly at: number
}

/** Ports of this machine that lead to the cluster's external Services; they come and go with the policies in force. */
export class PublishedPorts {
  readonly #mesh: Pick<MeshApi, 'publish'>
  readonly #mode: 'pinned' | 'any'
  readonly #note: (text: string) => void
  readonly #open = new Map<string, Wanted & { readonly door: Published }>()
  readonly #said = new Set<string>()
  #hosts: Snapshot['gateways'] = new Map()
  #last: Promise<void> = Promise.resolve()
  #closed = false

  /** @param note is told what could not be published */
  constructor(mesh: Pick<MeshApi, 'publish'>, mode: 'pinned' | 'any', note: (text: string) => void) {
    this.#mesh = mesh
    this.#mode = mode
    this.#note = note
  }

  /** Opens and closes doors until they are those of the snapshot; never rejects. */
  follow(snapshot: Snapshot): Promise<void> {
    this.#hosts = snapshot.gateways
    this.#last = this.#last.then(() => this.#follow(wantedPorts(snapshot, this.#mode)))
    return this.#last
  }

  /** Resolves when the doors are those of the snapshot that was followed last. */
  settled(): Promise<void> {
    return this.#last
  }

  list(): readonly PublishedPort[] {
    return [...this.#open.values()].map(({ service, port, at, door }) => ({
      service,
      port,
      url: `http://127.0.0.1:${door.port}`,
      ...(at !== 0 && at !== door.port && { wanted: at }),
      hosts: this.#hostsOf(service, port),
    }))
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#last = this.#last.then(() => this.#follow(new Map()))
    await this.#last
  }

  async #follow(wanted: ReadonlyMap<string, Wanted>): Promise<void> {
    for (const [key, { door, at }] of [...this.#open]) {
      if (wanted.get(key)?.at === at) continue
      this.#open.delete(key)
      await door.close().catch(() => undefined)
    }
    for (const [key, one] of this.#closed ? [] : wanted) {
      if (this.#open.has(key)) continue
      try {
        this.#open.set(key, { ...one, door: await this.#publish(one) })
      } catch (error) {
        this.#say(`${one.service}:${one.port} has no port on this machine: ${messageOf(error)}`)
      }
    }
  }

  async #publish({ service, port, at }: Wanted): Promise<Published> {
    try {
      return await this.#mesh.publish(service, port, { at })
    } catch (error) {
      if (at === 0 || !['EADDRINUSE', 'EACCES'].includes(systemCode(error))) throw error
      const door = await this.#mesh.publish(service, port, { at: 0 })
      const why = systemCode(error) === 'EACCES' ? 'may not be opened' : 'is in use by another program'
      this.#say(`port ${at} on 127.0.0.1 ${why}, so ${service}:${port} is at ${door.port} instead`)
      return door
    }
  }

  /** Each thing once: the policies change often. */
  #say(text: string): void {
    if (!this.#said.has(text)) this.#note(text)
    this.#said.add(text)
  }

  #hostsOf(service: string, port: number): readonly string[] {
    const gateways = [...this.#hosts.values()].filter(({ workload }) => workload === service)
    const listeners = gateways.flatMap((gateway) => gateway.listeners).filter((listener) => listener.port === port)
    return [...new Set(listeners.flatMap(({ hosts }) => hosts))].sort()
  }
}

function wantedPorts(snapshot: Snapshot, mode: 'pinned' | 'any'): ReadonlyMap<string, Wanted> {
  const external = [...snapshot.services.values()].filter((service) => service.external)
  const gateways = new Map([...snapshot.gateways.values()].map((gateway) => [gateway.workload, gateway]))
  const ports = external.flatMap(({ key, ports: all }) => {
    // A gateway's Service has its proxy's own status port too, behind which nothing is here.
    const listeners = gateways.get(key)?.listeners
    return all
      .filter(({ protocol, port }) => protocol === 'TCP' && (listeners?.some((one) => one.port === port) ?? true))
      .map(({ port, nodePort = 0 }) => ({ key, port, nodePort }))
  })
  return new Map(
    ports.map(({ key, port, nodePort }) => [
      `${key}:${port}`,
      { service: key, port, at: mode === 'pinned' ? nodePort : 0 },
    ]),
  )
}
