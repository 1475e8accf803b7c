import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { cleanUp, type Scope } from '@bulkhead/testing'

/** Where a connection is cut: before the server has seen the command, or after it has answered it, unheard. */
export type Cut = 'before' | 'after'

export interface FaultyWire {
  readonly host: string
  readonly port: number
  /** The commands that came through since `watch`, by name, in order: those of the application. */
  readonly commands: readonly string[]
  /** Forgets the commands; what comes now is counted from 0. */
  watch(): void
  /**
   * Cuts the connection at the command of this number. `for good`: from then on nothing comes through, on any connection,
   * as if this side had been killed at that moment; `once`: the next connection works.
   */
  cut(at: number, where: Cut, lasting: 'once' | 'for good'): void
  /** Takes connections and answers none of them. */
  hang(): void
  /** As in the beginning. */
  heal(): void
}

/** What the driver says for itself. */
const own: ReadonlySet<string> = new Set([
  'hello',
  'ismaster',
  'isMaster',
  'ping',
  'saslStart',
  'saslContinue',
  'endSessions',
  'killSessions',
  'killCursors',
])

const OP_MSG = 2013
const HEADER = 16

/** A wire between a client of MongoDB and its server on the loopback that can be cut at any command. */
export async function faultyWire(t: Scope, target: number): Promise<FaultyWire> {
  const sockets = new Set<Socket>()
  const commands: string[] = []
  let plan: { readonly at: number; readonly where: Cut; readonly lasting: 'once' | 'for good' } | undefined
  let state: 'open' | 'closed' | 'hanging' = 'open'

  const cutAll = (): void => {
    for (const socket of sockets) socket.destroy()
  }

  const server = createServer((client) => {
    if (state === 'closed') {
      client.destroy()
      return
    }
    const upstream = connect(target, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    /** The request whose answer nobody is to hear. */
    let unheard: number | undefined

    const end = (): void => {
      const lasting = plan?.lasting
      plan = undefined
      if (lasting === 'for good') {
        state = 'closed'
        cutAll()
      } else client.destroy()
    }

    eachMessage(client, (message) => {
      if (state !== 'open') return
      const name = commandOf(message)
      if (name !== undefined && !own.has(name)) {
        const number = commands.push(name) - 1
        if (plan?.at === number) {
          if (plan.where === 'before') {
            end()
            return
          }
          unheard = message.readInt32LE(4)
        }
      }
      upstream.write(message)
    })
    eachMessage(upstream, (message) => {
      if (state !== 'open') return
      if (unheard !== undefined && message.readInt32LE(8) === unheard) end()
      else client.write(message)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, async () => {
    cutAll()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo
  return {
    host: '127.0.0.1',
    port,
    commands,
    watch: () => {
      commands.length = 0
    },
    cut: (at, where, lasting) => {
      commands.length = 0
      plan = { at, where, lasting }
    },
    hang: () => {
      state = 'hanging'
    },
    heal: () => {
      plan = undefined
      state = 'open'
      cutAll()
    },
  }
}

function eachMessage(socket: Socket, take: (message: Buffer) => void): void {
  let rest = Buffer.alloc(0)
  socket.on('data', (data: Buffer) => {
    rest = Buffer.concat([rest, data])
    while (rest.length >= HEADER) {
      const length = rest.readInt32LE(0)
      if (rest.length < length) return
      const message = rest.subarray(0, length)
      rest = rest.subarray(length)
      take(message)
    }
  })
}

/** The name of the command: the first field of the first section, which is of kind 0 in all that the driver writes. */
function commandOf(message: Buffer): string | undefined {
  if (message.readInt32LE(12) !== OP_MSG || message[HEADER + 4] !== 0) return undefined
  const name = HEADER + 4 + 1 + 4 + 1
  return message.toString('utf8', name, message.indexOf(0, name))
}
