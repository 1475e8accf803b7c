import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { cleanUp, type Scope } from '@bulkhead/testing'

/**
 * Where an exchange is cut. `head`: in the middle of the request's head. `body`: in the middle of its body. `taken`: the server has all of it
 * and has answered, and nothing of the answer comes through. `answer`: in the middle of the answer. `none`: before a byte of it.
 */
export const cuts = ['none', 'head', 'body', 'taken', 'answer'] as const
export type RelayCut = (typeof cuts)[number]

export interface Relay {
  readonly port: number
  /** Where it leads; undefined: nowhere. */
  target: number | undefined
  /** Cuts the next PUT that comes through. */
  cut(where: RelayCut): void
  /** PUTs that were cut. */
  readonly made: readonly RelayCut[]
  /** Cuts no more. */
  heal(): void
}

const HEAD_END = '\r\n\r\n'
/** Of an answer, what comes through before it is cut. */
const PART_OF_ANSWER = 20

/** A wire between the manager and a scheduler, which looks at requests well enough to cut them at any place. */
export async function startRelay(t: Scope): Promise<Relay> {
  const sockets = new Set<Socket>()
  const made: RelayCut[] = []
  let next: RelayCut | undefined
  const relay = { target: undefined as number | undefined }

  const server = createServer((client) => {
    if (relay.target === undefined) {
      client.destroy()
      return
    }
    const upstream = connect(relay.target, '127.0.0.1')
    const end = (): void => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', end)
      socket.on('close', () => {
        sockets.delete(socket)
        end()
      })
    }
    /** Of the request that is under way: its bytes so far, and what is passed on of them. */
    let request = Buffer.alloc(0)
    let passed = 0
    let plan: RelayCut | undefined
    client.on('data', (data: Buffer) => {
      request = Buffer.concat([request, data])
      const head = request.indexOf(HEAD_END)
      if (head === -1) return
      const whole = head + HEAD_END.length + lengthIn(request.toString('latin1', 0, head))
      if (plan === undefined && next !== undefined && passed === 0 && request.toString('latin1', 0, 4) === 'PUT ') {
        plan = next
        next = undefined
        made.push(plan)
      }
      const allowed = allowedOf(plan, head, whole)
      const until = Math.min(allowed, request.length)
      upstream.write(request.subarray(passed, until))
      passed = until
      if (allowed < whole && request.length >= allowed) {
        // What was passed on is to arrive; the rest never does.
        upstream.end(() => client.destroy())
        return
      }
      if (request.length >= whole && plan === undefined) {
        request = request.subarray(whole)
        passed = 0
      }
    })
    upstream.on('data', (data: Buffer) => {
      if (plan === 'taken') end()
      else if (plan === 'answer') client.write(data.subarray(0, PART_OF_ANSWER), end)
      else client.write(data)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as AddressInfo
  return Object.assign(relay, {
    port,
    made,
    cut: (where: RelayCut) => {
      next = where
    },
    heal: () => {
      next = undefined
    },
  })
}

function lengthIn(head: string): number {
  return Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
}

function allowedOf(plan: RelayCut | undefined, head: number, whole: number): number {
  const body = head + HEAD_END.length
  if (plan === 'none') return 0
  if (plan === 'head') return Math.floor(head / 2)
  if (plan === 'body') return body + Math.floor((whole - body) / 2)
  return whole
}
