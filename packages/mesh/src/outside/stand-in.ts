import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { createSecureContext, type SecureContext } from 'node:tls'
import { listenPrivately } from '../private-socket.js'
import type { OutsideCa } from './ca.js'

/** What the stand-in can be taken for. */
export type Role = 'web' | 'web-tls' | 'metadata' | 'api-server' | 'kubelet' | 'istiod' | 'istiod-debug'

/** What is spoken without TLS. */
const plain: readonly Role[] = ['web', 'metadata', 'istiod-debug']

/** Of a certificate for whoever names no server, or one that the stand-in has no certificate for. */
const DEFAULT_NAME = 'stand-in.example'
const MAX_CERTIFICATES = 256
const NAME = /^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,9}$/
/** A body is counted, and not kept; what does not end is cut. */
const REQUEST_MS = 60_000

export interface StandInOptions {
  /** A private folder for its sockets. */
  readonly folder: string
  readonly ca: OutsideCa
  /** Whether it has a certificate for that name. */
  readonly has: (name: string) => boolean
}

/** Servers that play the outside, and what every cluster has at fixed addresses. Each is opened when it is first dialled. */
export class StandIn {
  readonly #options: StandInOptions
  readonly #servers = new Map<Role, Promise<{ readonly path: string; readonly server: Server }>>()
  readonly #contexts = new Map<string, Promise<SecureContext>>()
  readonly #sockets = new Set<Duplex>()
  #closed = false

  constructor(options: StandInOptions) {
    this.#options = options
  }

  async dial(role: Role, signal?: AbortSignal): Promise<Duplex> {
    if (this.#closed) throw new Error('the stand-in is closed')
    const opened = this.#servers.get(role) ?? this.#open(role)
    this.#servers.set(role, opened)
    const { path } = await opened
    signal?.throwIfAborted()
    const socket = await new Promise<Socket>((resolve, reject) => {
      const made = connect({ path, allowHalfOpen: true }, () => {
        made.off('error', reject)
        resolve(made)
      })
      made.once('error', reject)
    })
    return socket
  }

  async close(): Promise<void> {
    this.#closed = true
    const servers = await Promise.allSettled(this.#servers.values())
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(
      servers.map((opened) =>
        opened.status === 'rejected' ? undefined : new Promise((resolve) => opened.value.server.close(resolve)),
      ),
    )
  }

  async #open(role: Role): Promise<{ readonly path: string; readonly server: Server }> {
    const path = join(this.#options.folder, `${role}.sock`)
    const secure = !plain.includes(role)
    const limits = { requestTimeout: REQUEST_MS, headersTimeout: 10_000, keepAliveTimeout: 30_000 }
    const listener = answers[role]
    const server = secure
      ? createTlsServer(
          {
            ...limits,
            SNICallback: (name, done) => this.#context(name).then((context) => done(null, context), done),
            ...(await this.#options.ca.issue(DEFAULT_NAME).then(({ certificate: cert, key }) => ({ cert, key }))),
            minVersion: 'TLSv1.2',
            ALPNProtocols: ['http/1.1'],
          },
          listener,
        )
      : createServer(limits, listener)
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => {}).once('close', () => this.#sockets.delete(socket))
    })
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    server.on('clientError', badRequest)
    await listenPrivately(server, path)
    return { path, server }
  }

  /** A certificate per name, made when it is first asked for. */
  #context(asked: string): Promise<SecureContext> {
    const lower = asked.toLowerCase()
    const name = NAME.test(lower) && this.#options.has(lower) ? lower : DEFAULT_NAME
    const known = this.#contexts.get(name)
    if (known !== undefined) return known
    const [oldest] = this.#contexts.keys()
    if (this.#contexts.size >= MAX_CERTIFICATES && oldest !== undefined) this.#contexts.delete(oldest)
    const made = this.#options.ca.issue(name).then(({ certificate: cert, key }) => createSecureContext({ cert, key }))
    made.catch(() => this.#contexts.delete(name))
    this.#contexts.set(name, made)
    return made
  }
}

function badRequest(_error: Error, socket: Duplex): void {
  if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nserver: bulkhead-stand-in\r\nconnection: close\r\n\r\n')
  else socket.destroy()
}

function say(response: ServerResponse, status: number, type: string, body: string): void {
  const headers = {
    server: 'bulkhead-stand-in',
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  }
  response.writeHead(status, headers).end(body)
}

const json = (response: ServerResponse, status: number, body: object): void =>
  say(response, status, 'application/json', `${JSON.stringify(body)}\n`)

/** Answers when the request is over, with how much came. */
function counted(answer: (request: IncomingMessage, response: ServerResponse, received: number) => void) {
  return (request: IncomingMessage, response: ServerResponse) => {
    let received = 0
    request.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    request.once('end', () => answer(request, response, received))
    request.on('error', () => {})
  }
}

const web = counted((request, response, received) => {
  const { host = '' } = request.headers
  const name = host.replace(/:\d+$/, '').toLowerCase()
  const path = (request.url ?? '').split('?')[0]
  // As the real one answers whoever has no token.
  const status = name === 'api.cloudflare.com' && path === '/client/v4/' ? 400 : 200
  json(response, status, { 'stand-in': true, host: name, method: request.method, received })
})

const answers: Readonly<Record<Role, RequestListener>> = {
  web,
  'web-tls': web,
  metadata: counted((_request, response) =>
    say(
      response,
      200,
      'text/plain',
      'stand-in: on a cloud, this is the metadata service; a pod that reads it can get the credentials of its node\n',
    ),
  ),
  'api-server': counted((request, response) =>
    json(response, 403, {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `stand-in: forbidden: User "system:anonymous" cannot ${(request.method ?? 'get').toLowerCase()} path ${JSON.stringify((request.url ?? '').slice(0, 200))}`,
      reason: 'Forbidden',
      details: {},
      code: 403,
    }),
  ),
  kubelet: counted((_request, response) => say(response, 401, 'text/plain', 'Unauthorized (stand-in for a kubelet)\n')),
  istiod: counted((_request, response) => say(response, 404, 'text/plain', 'stand-in for istiod\n')),
  'istiod-debug': counted((_request, response) =>
    say(response, 404, 'text/plain', 'stand-in for istiod: its metrics, and what it tells of the mesh\n'),
  ),
}
