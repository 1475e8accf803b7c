import { createServer, type Server, type Socket } from 'node:net'
import { listenPrivately } from '../private-socket.js'
import type { Grants } from './grants.js'
import { lineReader, MAX_LINE } from './preload/lines.cjs'
import { CapturedProcess, type ProcessContext } from './process.js'
import { readUp } from './up.js'
import type { Note } from './wire.js'

/** How long a connection may stay silent about who it is. */
const HELLO_DEADLINE_MS = 5_000
/** Processes and worker threads of one target. */
const MAX_PROCESSES = 4_096

/** Where captured processes ask. Which pod one is follows from the secret that its first line shows, and from nothing else. */
export class Agent {
  readonly #server: Server
  readonly #grants: Grants
  readonly #context: ProcessContext
  readonly #sockets = new Set<Socket>()

  constructor(grants: Grants, context: ProcessContext) {
    this.#grants = grants
    this.#context = context
    this.#server = createServer((socket) => this.#greet(socket))
    this.#server.maxConnections = MAX_PROCESSES
    this.#server.on('error', (error) => context.log?.error({ err: error }, 'the agent cannot accept a process'))
  }

  listen(path: string): Promise<void> {
    return listenPrivately(this.#server, path)
  }

  #greet(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => this.#sockets.delete(socket))
    socket.setEncoding('utf8')
    const timer = setTimeout(() => socket.destroy(), HELLO_DEADLINE_MS)
    timer.unref()
    socket.once('close', () => clearTimeout(timer))
    let process: CapturedProcess | undefined
    const read = lineReader(
      MAX_LINE,
      (line) => {
        if (socket.destroyed || socket.writableEnded) return
        const up = readUp(line)
        if (up === undefined) return refuse(socket, 'the local data plane did not understand this process')
        if (process !== undefined) return process.receive(up)
        const grant = up.op === 'hello' ? this.#grants.find(up.secret) : undefined
        if (grant === undefined) return refuse(socket, "the local data plane does not know this process's secret")
        clearTimeout(timer)
        process = new CapturedProcess(grant, socket, this.#context)
      },
      () => refuse(socket, 'the local data plane was sent too long a line'),
    )
    socket.on('data', read)
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}

/** How long a refused process may take to read why. */
const REFUSED_PATIENCE_MS = 1_000

/** Says why, so that the app's error can. What it still sends is not read by anyone, but taken: a broken pipe would reach it before the reason. */
function refuse(socket: Socket, message: string): void {
  const note: Note = { op: 'refused', message }
  socket.end(`${JSON.stringify(note)}\n`)
  const timer = setTimeout(() => socket.destroy(), REFUSED_PATIENCE_MS)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}
