import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'

/** A place where something listens: `udp:9125`, `http:8080`. Port 0 is any. */
export interface Place {
  readonly protocol: 'udp' | 'http'
  readonly port: number
}

/** Reads `udp:9125`. Throws an Error that says what is wrong with it. */
export function parsePlace(text: string): Place {
  const [, protocol, port] = /^(udp|http):([0-9]{1,5})$/.exec(text) ?? []
  if ((protocol !== 'udp' && protocol !== 'http') || Number(port) > 65535)
    throw new Error(`${JSON.stringify(text)} is no place to listen; write udp:PORT or http:PORT`)
  return { protocol, port: Number(port) }
}

/** What is open, with the ports that it got, in order. */
export interface Listening {
  readonly places: readonly Place[]
  close(): Promise<void>
}

/**
 * A collector: says of everything that arrives how much it was, so that what gets out can be seen. It keeps nothing.
 * @throws Error of the operating system: a port that is taken
 */
export async function collect(places: readonly Place[]): Promise<Listening> {
  const open: (Socket | Server)[] = []
  const got: Place[] = []
  const close = async (): Promise<void> => {
    await Promise.all(open.map((one) => new Promise<void>((resolve) => void one.close(() => resolve()))))
  }
  try {
    for (const place of places) {
      const server = place.protocol === 'udp' ? datagrams() : requests()
      const ready = once(server, 'listening')
      if ('bind' in server) server.bind(place.port)
      else server.listen(place.port)
      await ready
      open.push(server)
      server.on('error', () => {})
      const address = server.address()
      got.push({ ...place, port: typeof address === 'object' && address !== null ? address.port : place.port })
    }
  } catch (error) {
    await close()
    throw error
  }
  return { places: got, close }
}

function datagrams(): Socket {
  const socket = createSocket('udp4')
  socket.on('message', (data, from) =>
    socket.send(`collector: ${data.length} bytes`, from.port, from.address, () => {}),
  )
  return socket
}

function requests(): Server {
  const server = createServer((request, response) => {
    let received = 0
    request.on('error', () => {})
    request.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    request.on('end', () => {
      const body = JSON.stringify({ collector: true, method: request.method, path: request.url, received })
      response.writeHead(200, { 'content-type': 'application/json' }).end(`${body}\n`)
    })
  })
  server.requestTimeout = 30_000
  return server
}

/** The command: until SIGTERM or SIGINT, at which it ends at once, as process 1 of a container too. */
export async function listen(texts: readonly string[]): Promise<void> {
  const leave = (): void => process.exit(0)
  process.once('SIGTERM', leave)
  process.once('SIGINT', leave)
  const { places } = await collect(texts.map(parsePlace))
  process.stdout.write(`collector at ${places.map(({ protocol, port }) => `${protocol}:${port}`).join(', ')}\n`)
}
