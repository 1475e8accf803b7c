import type { IncomingMessage, ServerResponse } from 'node:http'
import { pathDocument } from './discovery.js'
import { readList, readOne } from './list.js'
import { allows, type Rbac } from './rbac.js'
import { readRequest } from './request.js'
import { ApiStatus, forbidden, methodNotAllowed, notServed, tooMany, unauthorized } from './status.js'
import type { Store } from './store.js'
import { anonymous } from './tokens.js'
import type { RequestAttributes, ResourceRequest, User } from './types.js'
import { readWatch } from './watch.js'

/** Watches that may be open at a time: one is a response and a place in everybody's news. */
const MAX_WATCHES = 512

export interface HandlerOptions {
  readonly store: Store
  readonly rbac: () => Rbac
  readonly review: (token: string) => Promise<User | undefined>
  /** Brings the store up to date. */
  readonly look: () => void
  readonly bookmarkMs: number
  /** For tests. Default 512. */
  readonly maxWatches?: number
  /** Told of each request that was refused: who, what, and how. */
  readonly refused: (fields: object) => void
}

/** Answers the requests of the API: who is it, may he, and then what. */
export class Handler {
  readonly #options: HandlerOptions
  readonly #watches = new Set<() => void>()

  constructor(options: HandlerOptions) {
    this.#options = options
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Nothing that is sent here is read.
    request.resume()
    try {
      await this.#answer(request, response)
    } catch (error) {
      if (error instanceof ApiStatus) say(response, error.code, error, error.code === 429 ? { 'retry-after': '1' } : {})
      else {
        this.#options.refused({ error })
        say(response, 500, new ApiStatus(500, 'InternalError', 'Internal error occurred'))
      }
    }
  }

  /** Ends what is being watched. */
  close(): void {
    for (const end of [...this.#watches]) end()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = request
    const at = url.indexOf('?')
    const path = at === -1 ? url : url.slice(0, at)
    const query = new URLSearchParams(at === -1 ? '' : url.slice(at + 1))
    const user = await this.#user(request)
    const asked = readRequest(method, path, query)
    this.#authorise(user, asked)
    const as = Object.keys(headers).find((name) => name.startsWith('impersonate-'))
    if (as !== undefined) this.#refuseToBe(user, headers[as])
    if (asked.kind === 'path') this.#path(asked.path, method, response)
    else this.#resource(asked, query, response)
  }

  async #user({ headers, method, url }: IncomingMessage): Promise<User> {
    const [, token] = /^bearer +(\S+)\s*$/i.exec(headers.authorization ?? '') ?? []
    if (token === undefined) return anonymous
    const user = await this.#options.review(token)
    if (user !== undefined) return user
    this.#options.refused({ code: 401, method, path: url?.slice(0, 200) })
    throw unauthorized()
  }

  #authorise(user: User, asked: RequestAttributes): void {
    if (allows(this.#options.rbac(), user, asked)) return
    const status = forbidden(user, asked)
    this.#options.refused({ code: 403, user: user.name, why: status.message.slice(0, 500) })
    throw status
  }

  /** Acting for another is a permission of its own; who has it would have to be told here that he is not taken for that other. */
  #refuseToBe(user: User, name: string | readonly string[] | undefined): void {
    const asked = {
      kind: 'resource',
      verb: 'impersonate',
      group: '',
      version: 'v1',
      resource: 'users',
      name: String(name),
    } as const
    this.#authorise(user, asked)
    throw notServed('impersonate users')
  }

  #path(path: string, method: string, response: ServerResponse): void {
    const document = pathDocument(path)
    if (document === undefined) {
      text(response, 404, '404 page not found\n')
      return
    }
    if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed()
    if (typeof document === 'string') text(response, 200, document)
    else say(response, 200, document)
  }

  #resource(asked: ResourceRequest, query: URLSearchParams, response: ServerResponse): void {
    const { group, version, resource, subresource, namespace, verb } = asked
    const isServed = group === '' && version === 'v1' && (resource === 'pods' || resource === 'nodes')
    const isPlaced = resource === 'pods' ? verb !== 'get' || namespace !== undefined : namespace === undefined
    if (!isServed || !isPlaced || (subresource !== undefined && subresource !== 'status'))
      throw notServed(`${verb} ${subresource === undefined ? resource : `${resource}/${subresource}`}`)
    if (!['get', 'list', 'watch'].includes(verb) || (verb !== 'get' && subresource !== undefined))
      throw methodNotAllowed()
    this.#options.look()
    const { store, bookmarkMs, maxWatches = MAX_WATCHES } = this.#options
    if (verb !== 'watch') {
      const body = verb === 'get' ? readOne(store, asked) : readList(store, asked, query)
      text(response, 200, body, 'application/json')
      return
    }
    if (this.#watches.size >= maxWatches) throw tooMany()
    const end = readWatch({ store, request: asked, query, bookmarkMs }).begin(response)
    this.#watches.add(end)
    response.once('close', () => this.#watches.delete(end))
  }
}

function text(response: ServerResponse, code: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response
    .writeHead(code, {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-cache, private',
      'x-content-type-options': 'nosniff',
    })
    .end(body)
}

function say(
  response: ServerResponse,
  code: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  text(response, code, `${JSON.stringify(body)}\n`, 'application/json')
}
