import { Agent, type IncomingMessage, request } from 'node:http'

export interface Sent {
  readonly id: string
  /** 'answered', or the error's code. */
  readonly result: string
  /** The HTTP status; 0 without an answer. */
  readonly status: number
}

let sent = 0

/** One request with an id of its own; `close` tells whether the server asked us to leave. */
export function send(
  agent: Agent,
  port: number,
  path: string,
  method = 'GET',
  body = '',
): Promise<Sent & { close: boolean }> {
  const id = `load-${process.pid}-${++sent}`
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void =>
      resolve({ id, result: error.code ?? error.message, close: true, status: 0 })
    const outgoing = request(
      {
        agent,
        port,
        host: '127.0.0.1',
        path,
        method,
        headers: { 'x-request-id': id, ...(body === '' ? {} : { 'content-length': body.length }) },
      },
      (response: IncomingMessage) => {
        let complete = false
        response.on('data', () => {})
        response.on('end', () => {
          complete = response.complete
        })
        response.on('error', () => {})
        response.on('close', () =>
          resolve({
            id,
            result: complete ? 'answered' : 'cut',
            close: response.headers.connection === 'close',
            status: response.statusCode ?? 0,
          }),
        )
      },
    )
    outgoing.on('error', failed)
    outgoing.end(body)
  })
}

/** Clients with one kept connection each, sending one request after the other until they are told, or refused. */
export async function load(
  port: number,
  clients: number,
  path: string,
  goOn: (last: { close: boolean }) => boolean,
): Promise<Sent[]> {
  const all: Sent[] = []
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      let last = { close: false }
      while (goOn(last)) {
        const result = await send(
          agent,
          port,
          path,
          client % 2 === 0 ? 'GET' : 'POST',
          client % 2 === 0 ? '' : 'a body',
        )
        all.push(result)
        last = result
        if (result.result === 'ECONNREFUSED') break
      }
      agent.destroy()
    }),
  )
  return all
}

/** Requests that are asked before something happens to who answers: there is a load then, on a slow machine too. */
export const ENOUGH = 50

/** To be called as each request is asked: calls `then` at the one after ENOUGH, and only then. */
export function underLoad(then: () => void): () => void {
  let asked = 0
  return () => {
    asked += 1
    if (asked === ENOUGH + 1) then()
  }
}
