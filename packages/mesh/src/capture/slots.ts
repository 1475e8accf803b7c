import { randomBytes } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { listenPrivately } from '../private-socket.js'
import { endAfterNotes } from './listeners.js'

/** Listeners kept for the next connect of the same process. */
const IDLE_SLOTS = 8

/**
 * Private listeners of one process, each of which takes exactly one awaited connection at a time. TLS leaves no room
 * for a preamble, so the listener itself says whose connection it is: a process is told the path of a slot for one
 * accepted connect, connects, and says that it has. A connection that nobody awaits is destroyed; two for one await
 * are both destroyed, since one of them is a stranger's.
 */
export class Slots {
  readonly #folder: string
  readonly #idle: Slot[] = []
  readonly #all = new Set<Slot>()
  #closed = false

  constructor(folder: string) {
    this.#folder = folder
  }

  async take(): Promise<Slot> {
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle
    const slot = new Slot(join(this.#folder, `s${randomBytes(12).toString('base64url')}`))
    this.#all.add(slot)
    await slot.listen()
    if (this.#closed) this.discard(slot)
    return slot
  }

  /** After its connection was taken, a slot serves another. */
  giveBack(slot: Slot): void {
    if (this.#closed || this.#idle.length >= IDLE_SLOTS) this.discard(slot)
    else this.#idle.push(slot)
  }

  /** After a connect that was given up: its connection may still be on the way, and must not be the next one's. */
  discard(slot: Slot): void {
    this.#all.delete(slot)
    slot.close()
  }

  close(): void {
    this.#closed = true
    for (const slot of this.#all) slot.close()
    this.#all.clear()
    this.#idle.length = 0
  }
}

export class Slot {
  readonly path: string
  readonly #server: Server
  #arrived: Socket[] = []
  #awaited = false
  #taking = false
  #closing = false

  constructor(path: string) {
    this.path = path
    // The other end decides when its half is over; what arrives waits in the stream until someone reads.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {})
      endAfterNotes(socket)
      if (this.#awaited) this.#arrived.push(socket)
      else socket.destroy()
    })
    this.#server.on('error', () => {})
  }

  listen(): Promise<void> {
    return listenPrivately(this.#server, this.path)
  }

  await(): void {
    this.#awaited = true
  }

  /**
   * The connection of the process, which has just said that it is made. It is in the kernel by then, but perhaps not
   * since before this turn of the event loop looked for new ones: so the next turn must have looked too. If there are
   * two by then, one is not its.
   */
  taken(take: (socket: Socket | undefined) => void): void {
    this.#taking = true
    const then = () => {
      this.#taking = false
      take(this.#only())
      if (this.#closing) this.close()
    }
    setImmediate(() => setImmediate(then))
  }

  #only(): Socket | undefined {
    const arrived = this.#arrived
    this.#arrived = []
    this.#awaited = false
    const [only] = arrived
    if (arrived.length === 1 && only !== undefined && !only.destroyed) return only
    for (const socket of arrived) socket.destroy()
    return undefined
  }

  close(): void {
    // A process may connect, write and be gone: what it opened is still carried.
    this.#closing = true
    if (this.#taking) return
    for (const socket of this.#arrived) socket.destroy()
    this.#arrived = []
    this.#awaited = false
    this.#server.close()
  }
}
