import { AsyncResource } from 'node:async_hooks'
import net, { type Socket } from 'node:net'
import type { Answer, CaptureConfig, Down, Note, Up } from '../wire.js'
import { GONE } from './errors.cjs'
import { lineReader, MAX_LINE } from './lines.cjs'

type Ask = { [K in Up['op']]: Omit<Extract<Up, { op: K }>, 'id'> }['dial' | 'listen' | 'resolve' | 'bind']

/**
 * This process's one connection to the agent. It is opened at the first question, in no one's async context, and keeps
 * the process alive only while an answer is awaited. Once lost it stays lost, and every question fails.
 */
export class Channel {
  onNote: (note: Note) => void = () => {}
  readonly #config: CaptureConfig
  /** Node's own connect, from before it was replaced. */
  readonly #connect: Socket['connect']
  readonly #root = new AsyncResource('BulkheadChannel', { triggerAsyncId: 0 })
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #socket: Socket | undefined
  #lost: string | undefined
  #held = 0
  #next = 1

  constructor(config: CaptureConfig, connect: Socket['connect']) {
    this.#config = config
    this.#connect = connect
  }

  /** Asks, and holds the process until the answer came or `forget` was called. The answer comes in the asker's async context. */
  ask(question: Ask, answer: (answer: Answer) => void): number {
    const id = this.#next++
    this.#waiting.set(id, AsyncResource.bind(answer))
    this.hold()
    if (this.#lost === undefined) this.#send({ ...question, id } as Up)
    else process.nextTick(() => this.#answer({ id, error: 'ECONNREFUSED', message: this.#lost ?? GONE }))
    return id
  }

  forget(id: number): void {
    if (this.#waiting.delete(id)) this.release()
  }

  tell(message: Up): void {
    if (this.#lost === undefined) this.#send(message)
  }

  /** Keeps the process alive, as an open handle does; `release` takes one back. */
  hold(): void {
    if (this.#held++ === 0 && this.#lost === undefined) this.#socket?.ref()
  }

  release(): void {
    if (--this.#held === 0 && this.#lost === undefined) this.#socket?.unref()
  }

  /** A unix-socket handle of Node's for that socket. Only a unix socket can show how one is made. */
  newPipe(owner: Socket): object | undefined {
    const own = (this.#open() as unknown as { _handle?: object | null })._handle
    if (!own) return undefined
    const Pipe = own.constructor as new (type: number) => Record<symbol, unknown>
    const pipe = new Pipe(0)
    // Under a TLS socket this is how the connect finds its way back.
    const symbol = Object.getOwnPropertySymbols(own).find((candidate) => candidate.description === 'owner_symbol')
    if (symbol !== undefined) pipe[symbol] = owner
    return pipe
  }

  #send(message: Up): void {
    this.#open().write(`${JSON.stringify(message)}\n`)
  }

  #open(): Socket {
    if (this.#socket !== undefined) return this.#socket
    return this.#root.runInAsyncScope(() => {
      const socket = new net.Socket()
      this.#socket = socket
      socket.setEncoding('utf8')
      const read = lineReader(
        MAX_LINE,
        (line) => this.#read(JSON.parse(line) as Down),
        () => socket.destroy(),
      )
      socket.on('data', read)
      socket.on('error', () => {})
      socket.on('end', () => socket.destroy())
      socket.on('close', () => this.#lose(this.#lost ?? GONE))
      Reflect.apply(this.#connect, socket, [{ path: this.#config.agent }])
      const hello: Up = { op: 'hello', secret: this.#config.secret, pid: process.pid }
      socket.write(`${JSON.stringify(hello)}\n`)
      if (this.#held === 0) socket.unref()
      return socket
    })
  }

  #read(down: Down): void {
    if (!('op' in down)) this.#answer(down)
    else if (down.op === 'refused') this.#lost = down.message
    else this.onNote(down)
  }

  #answer(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    if (waiting === undefined) {
      // Too late: whoever asked was told so, and a slot must not stay open for it.
      if (answer.slot !== undefined) this.tell({ op: 'gone', id: answer.id })
      return
    }
    this.#waiting.delete(answer.id)
    this.release()
    waiting(answer)
  }

  #lose(message: string): void {
    this.#lost = message
    for (const id of [...this.#waiting.keys()]) this.#answer({ id, error: 'ECONNREFUSED', message })
  }
}
