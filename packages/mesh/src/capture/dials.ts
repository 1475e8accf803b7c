import type { Socket } from 'node:net'
import type { DialAnswer, Dialer } from '../seams.js'
import type { MeshLog } from '../types.js'
import { type Grant, track } from './grants.js'
import { resetBy } from './listeners.js'
import { spell } from './names.js'
import { Slots } from './slots.js'
import { MAX_HOST } from './up.js'
import type { Answer, Down } from './wire.js'

/** Connects of one process that may be waiting at once; the kernel's own bound is on open files. */
const MAX_DIALS = 4_096
/** A process that was given a slot connects at once. */
const OPEN_DEADLINE_MS = 10_000

type Accepted = Extract<DialAnswer, { kind: 'accept' }>

interface Dial {
  gone: boolean
  settle?: (taken: boolean) => void
}

/** The connects of one process, from the question to the carried connection. */
export class Dials {
  readonly #grant: Grant
  readonly #dialer: Dialer
  readonly #log: MeshLog | undefined
  readonly #slots: Slots
  readonly #send: (message: Down) => void
  readonly #waiting = new Map<number, Dial>()
  readonly #carried = new Map<number, Socket>()
  /** Connected, and about to be carried; true: the app has already reset it. */
  readonly #opening = new Map<number, boolean>()

  constructor(grant: Grant, dialer: Dialer, log: MeshLog | undefined, folder: string, send: (message: Down) => void) {
    this.#grant = grant
    this.#dialer = dialer
    this.#log = log
    this.#slots = new Slots(folder)
    this.#send = send
  }

  async dial(id: number, host: string, port: number): Promise<void> {
    const fail = (error: string, message: string) => this.#send({ id, error, message })
    if (this.#waiting.has(id)) return fail('EINVAL', `connect ${id} is waiting already`)
    if (this.#waiting.size >= MAX_DIALS) return fail('EMFILE', `more than ${MAX_DIALS} connects are waiting`)
    if (host.length > MAX_HOST) return fail('ENOTFOUND', `a host name has at most ${MAX_HOST} characters`)
    const spelled = spell(host, this.#grant.pod)
    if (spelled === undefined) return fail('ENETUNREACH', 'pods have IPv4 only')
    if (port === 0) return fail('ECONNREFUSED', 'nothing can listen on port 0')
    const dial: Dial = { gone: false }
    this.#waiting.set(id, dial)
    const answer = await this.#ask(spelled, port)
    if (dial.gone) {
      if (answer.kind === 'accept') answer.abandon()
    } else if (answer.kind === 'accept') {
      await this.#offer(id, dial, answer)
    } else if (answer.kind === 'error') {
      this.#waiting.delete(id)
      fail(answer.code, answer.message)
    }
    // A drop is never answered: it waits until the app gives up.
  }

  async #ask(host: string, port: number): Promise<DialAnswer> {
    const { pod, run } = this.#grant
    try {
      return await this.#dialer.dial({ pod: pod.key, host, port, ...(run === undefined ? {} : { run }) })
    } catch (error) {
      this.#log?.error({ pod: pod.key, host, port, err: error }, 'the data plane failed to answer a connect')
      return {
        kind: 'error',
        code: 'ECONNREFUSED',
        message: `the local data plane failed: ${(error as Error)?.message}`,
      }
    }
  }

  async #offer(id: number, dial: Dial, answer: Accepted): Promise<void> {
    const slot = await this.#slots.take().catch((error: Error) => error)
    if (slot instanceof Error) {
      this.#waiting.delete(id)
      this.#log?.error({ pod: this.#grant.pod.key, err: slot }, 'no slot for a connection')
      answer.abandon()
      return this.#send({ id, error: 'EMFILE', message: `no slot for the connection: ${slot.message}` })
    }
    if (dial.gone) {
      this.#slots.giveBack(slot)
      return answer.abandon()
    }
    const timer = setTimeout(() => this.gone(id), OPEN_DEADLINE_MS)
    timer.unref()
    dial.settle = (opened) => {
      clearTimeout(timer)
      this.#waiting.delete(id)
      if (!opened) {
        this.#slots.discard(slot)
        return answer.abandon()
      }
      this.#opening.set(id, false)
      slot.taken((socket) => {
        const reset = this.#opening.get(id) === true
        this.#opening.delete(id)
        if (socket === undefined) {
          this.#log?.warn({ pod: this.#grant.pod.key, path: slot.path }, 'a stranger was at the slot; closed')
          this.#slots.discard(slot)
          return answer.abandon()
        }
        this.#slots.giveBack(slot)
        this.#carry(id, socket, answer)
        if (reset) this.reset(id)
      })
    }
    slot.await()
    const { remote, local } = answer
    const offer: Answer = { id, slot: slot.path, remote: [remote.ip, remote.port], local: [local.ip, local.port] }
    this.#send(offer)
  }

  #carry(id: number, socket: Socket, answer: Accepted): void {
    this.#carried.set(id, socket)
    socket.once('close', () => this.#carried.delete(id))
    track(this.#grant, socket)
    const reset = () => resetBy(socket, () => this.#send({ op: 'reset', id }))
    socket.resetAndDestroy = reset
    try {
      answer.carry({ stream: socket, reset: () => void reset() })
    } catch (error) {
      this.#log?.error({ pod: this.#grant.pod.key, err: error }, 'the data plane failed to carry a connection')
      reset()
    }
  }

  /** The process has connected to its slot. */
  open(id: number): void {
    this.#waiting.get(id)?.settle?.(true)
  }

  /** The process no longer wants it. */
  gone(id: number): void {
    const dial = this.#waiting.get(id)
    if (dial === undefined) return
    dial.gone = true
    this.#waiting.delete(id)
    dial.settle?.(false)
  }

  /** The app reset its end. */
  reset(id: number): void {
    if (this.#opening.has(id)) this.#opening.set(id, true)
    this.#carried.get(id)?.destroy(connectionReset())
  }

  close(): void {
    for (const id of [...this.#waiting.keys()]) this.gone(id)
    this.#slots.close()
  }
}

export function connectionReset(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' })
}
