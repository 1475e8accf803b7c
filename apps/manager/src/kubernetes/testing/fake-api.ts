import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { cleanUp, eventually } from '@bulkhead/testing'
import type { KubernetesAccess } from '../access.js'

/** An object as the API server has it. */
export interface Kept {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown }
  readonly [field: string]: unknown
}

type Resource = 'pods' | 'nodes'

/** A watch that is open: what is written goes to the client. */
export interface OpenWatch {
  readonly resource: Resource
  readonly query: URLSearchParams
  readonly response: ServerResponse
}

/** What answers instead of the server itself, when a test wants it to misbehave; false: it answers as always. */
export type Instead = (
  request: { resource: Resource; watch: boolean; query: URLSearchParams },
  response: ServerResponse,
  incoming: IncomingMessage,
) => boolean

/**
 * The two resources of the Kubernetes API that the manager reads, as its documents have them ("Efficient detection of changes"): lists by
 * pages, watches from a version on, bookmarks, 410 for versions that are gone.
 */
export class FakeApi {
  readonly requests: {
    readonly path: string
    readonly query: URLSearchParams
    readonly authorization: string | undefined
  }[] = []
  readonly watches = new Set<OpenWatch>()
  instead: Instead = () => false
  /** Versions before this one are gone. */
  oldest = 0
  readonly #objects = { pods: new Map<string, Kept>(), nodes: new Map<string, Kept>() }
  readonly #events: { readonly resource: Resource; readonly version: number; readonly line: string }[] = []
  readonly #sockets = new Set<Socket>()
  readonly #server: http.Server
  readonly #tls: { readonly cert: string; readonly key: string } | undefined
  #version = 100

  private constructor(tls?: { readonly cert: string; readonly key: string }) {
    const answer = (request: IncomingMessage, response: ServerResponse): void => this.#answer(request, response)
    this.#tls = tls
    this.#server = tls === undefined ? http.createServer(answer) : https.createServer({ ...tls }, answer)
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(t: TestContext, tls?: { readonly cert: string; readonly key: string }): Promise<FakeApi> {
    const api = new FakeApi(tls)
    await api.listen(0)
    cleanUp(t, () => api.stop())
    return api
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** Nobody answers on its port any more; listen() brings it back. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.drop()
    await closed
  }

  /** All connections end, without a word. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Every watch ends as the server ends one when its time is over: what was written arrives. */
  end(): void {
    for (const { response } of this.watches) response.end()
    this.watches.clear()
  }

  /** Of the last change. */
  get version(): string {
    return String(this.#version)
  }

  get access(): KubernetesAccess {
    return {
      server: `${this.#tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`,
      credentials: () =>
        Promise.resolve({
          headers: { authorization: 'Bearer a-token' },
          tls: this.#tls === undefined ? {} : { ca: this.#tls.cert },
        }),
    }
  }

  set(resource: Resource, object: Kept): void {
    const key = keyOf(object)
    const type = this.#objects[resource].has(key) ? 'MODIFIED' : 'ADDED'
    const kept = this.#versioned(object)
    this.#objects[resource].set(key, kept)
    this.#tell(resource, { type, object: kept })
  }

  remove(resource: Resource, name: string, namespace?: string): void {
    const key = keyOf({ metadata: { name, ...(namespace === undefined ? {} : { namespace }) } })
    const object = this.#objects[resource].get(key)
    if (object === undefined) throw new Error(`there is no ${key}`)
    this.#objects[resource].delete(key)
    this.#tell(resource, { type: 'DELETED', object: this.#versioned(object) })
  }

  /** Changes it without a word to anybody, as when an event is lost on its way. */
  setSilently(resource: Resource, object: Kept): void {
    this.#objects[resource].set(keyOf(object), this.#versioned(object))
  }

  bookmark(resource: Resource): void {
    this.#version++
    this.#tell(resource, { type: 'BOOKMARK', object: { metadata: { resourceVersion: String(this.#version) } } })
  }

  /** As it is, into every open watch of the resource. */
  write(resource: Resource, text: string): void {
    for (const watch of this.watches) if (watch.resource === resource) watch.response.write(text)
  }

  /** Waits until a watch of each resource is open. */
  async watched(): Promise<void> {
    await eventually('a watch of pods and one of nodes', () =>
      (['pods', 'nodes'] as const).every((resource) => [...this.watches].some((watch) => watch.resource === resource)),
    )
  }

  lists(resource: Resource): number {
    return this.requests.filter(({ path, query }) => path === `/api/v1/${resource}` && query.get('watch') !== 'true')
      .length
  }

  #versioned(object: Kept): Kept {
    this.#version++
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } }
  }

  #tell(resource: Resource, event: object): void {
    const line = `${JSON.stringify(event)}\n`
    this.#events.push({ resource, version: this.#version, line })
    this.write(resource, line)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams: query } = new URL(request.url ?? '', 'http://localhost')
    this.requests.push({ path: pathname, query, authorization: request.headers.authorization })
    const resource = pathname.replace('/api/v1/', '')
    if (resource !== 'pods' && resource !== 'nodes') {
      status(response, 404, 'the server could not find the requested resource')
      return
    }
    const watch = query.get('watch') === 'true'
    if (this.instead({ resource, watch, query }, response, request)) return
    if (request.headers.authorization !== 'Bearer a-token') {
      status(response, 401, 'Unauthorized')
      return
    }
    if (watch) this.#watch(resource, query, response)
    else this.#list(resource, query, response)
  }

  #list(resource: Resource, query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get('continue') ?? 0)
    const to = from + Number(query.get('limit') ?? Number.POSITIVE_INFINITY)
    const all = [...this.#objects[resource].values()]
    const metadata = { resourceVersion: String(this.#version), ...(to < all.length ? { continue: String(to) } : {}) }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ kind: 'List', apiVersion: 'v1', metadata, items: all.slice(from, to) }))
  }

  #watch(resource: Resource, query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get('resourceVersion'))
    response.setHeader('content-type', 'application/json')
    if (from < this.oldest) {
      response.end(
        `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old resource version' } })}\n`,
      )
      return
    }
    response.flushHeaders()
    const watch = { resource, query, response }
    this.watches.add(watch)
    response.on('close', () => this.watches.delete(watch))
    for (const event of this.#events)
      if (event.resource === resource && event.version > from) response.write(event.line)
  }
}

const keyOf = ({ metadata: { namespace = '', name } }: Kept): string => `${namespace}/${name}`

/** A refusal as the API server words one. */
export function status(response: ServerResponse, code: number, message: string): void {
  response.statusCode = code
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code }))
}

/** A pod as the API server has it. */
export function podObject(
  name: string,
  more: {
    readonly namespace?: string
    readonly node?: string
    readonly labels?: Record<string, string>
    readonly uid?: string
  } = {},
): Kept {
  const { namespace = 'shop', node = 'node-1', labels = { app: name }, uid = `uid-of-${name}` } = more
  return {
    metadata: { name, namespace, uid, labels },
    spec: {
      nodeName: node,
      serviceAccountName: name,
      containers: [{ name: 'main', command: ['/bin/run'], args: ['--as', name], ports: [{ containerPort: 8080 }] }],
    },
    status: { phase: 'Running', podIP: '10.244.1.7', hostIP: '172.18.0.3' },
  }
}

/** A node as the API server has it. */
export const nodeObject = (name: string, ready: 'True' | 'False' | 'Unknown' = 'True'): Kept => ({
  metadata: { name, uid: `uid-of-${name}` },
  status: {
    conditions: [
      { type: 'MemoryPressure', status: 'False' },
      { type: 'Ready', status: ready },
    ],
  },
})
