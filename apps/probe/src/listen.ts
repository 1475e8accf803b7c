import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'

/** A place where something listens: `udp:9125`, `http:8080`. Port 0 is any. */
export interface Place<Protocol extends string = 'udp' | 'http'> {
  readonly protocol: Protocol
  readonly port: number
}

/** What answers, by what it speaks. */
export type Players<Protocol extends string> = Readonly<Record<Protocol, () => Socket | Server>>

/** Reads `udp:9125`. Throws an Error that says what is wrong with it. */
export function parsePlace<Protocol extends string>(text: string, players: Players<Protocol>): Place<Protocol> {
  const [, spoken, port] = /^([a-z]+):([0-9]{1,5})$/.exec(text) ?? []
  const known = Object.keys(players) as Protocol[]
  const protocol = known.find((one) => one === spoken)
  if (protocol === undefined || Number(port) > 65535)
    throw new Error(
      `${JSON.stringify(text)} is no place to listen; write ${known.map((one) => `${one}:PORT`).join(' or ')}`,
    )
  return { protocol, port: Number(port) }
}

/** What is open, with the ports that it got, in order. */
export interface Listening<Protocol extends string = 'udp' | 'http'> {
  readonly places: readonly Place<Protocol>[]
  close(): Promise<void>
}

/**
 * Opens all of the places, or none.
 * @throws Error of the operating system: a port that is taken
 */
export async function openAll<Protocol extends string>(
  places: readonly Place<Protocol>[],
  players: Players<Protocol>,
): Promise<Listening<Protocol>> {
  const open: (Socket | Server)[] = []
  const got: Place<Protocol>[] = []
  const close = async (): Promise<void> => {
    await Promise.all(open.map((one) => new Promise<void>((resolve) => void one.close(() => resolve()))))
  }
  try {
    for (const place of places) {
      const server = players[place.protocol]()
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

/** Answers each datagram with how much it was. */
export function datagrams(name: string): Socket {
  const socket = createSocket('udp4')
  socket.on('message', (data, from) => socket.send(`${name}: ${data.length} bytes`, from.port, from.address, () => {}))
  return socket
}

/** Counts what a request brings, and keeps nothing of it; `say` is what is answered then. */
export function counted(say: (request: IncomingMessage, received: number) => object): RequestListener {
  return (request, response) => {
    let received = 0
    request.on('error', () => {})
    request.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    request.on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(say(request, received))}\n`)
    })
  }
}

/** What a request may take. */
export const requestMs = 30_000

/** A collector: says of everything that arrives how much it was, so that what gets out can be seen. It keeps nothing. */
const collector: Players<'udp' | 'http'> = {
  udp: () => datagrams('collector'),
  http: () =>
    createServer(
      { requestTimeout: requestMs },
      counted(({ method, url: path }, received) => ({ collector: true, method, path, received })),
    ),
}

/** Until SIGTERM or SIGINT, at which it ends at once, as process 1 of a container too. */
export function endWithSignal(): void {
  const leave = (): void => process.exit(0)
  process.once('SIGTERM', leave)
  process.once('SIGINT', leave)
}

/** The command. */
export async function listen(texts: readonly string[]): Promise<void> {
  endWithSignal()
  const { places } = await openAll(
    texts.map((text) => parsePlace(text, collector)),
    collector,
  )
  process.stdout.write(`collector at ${places.map(({ protocol, port }) => `${protocol}:${port}`).join(', ')}\n`)
}
