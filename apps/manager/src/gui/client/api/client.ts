import { ApiError, failureOf } from './failure.js'
import type { Session } from './types.js'

/** Longer than the service takes for anything; then something on the way has swallowed it. */
const TIMEOUT_MS = 20_000

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: unknown
  /** For If-Match: what was read. */
  readonly version?: number
  readonly idempotencyKey?: string
  readonly signal?: AbortSignal
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

export interface ApiDeps {
  readonly fetch: typeof fetch
  /** Called when the service no longer knows who this is. */
  readonly onExpired: () => void
  /** Called when the browser's cookie has become somebody else's, in another window. */
  readonly onOtherUser: (session: Session) => void
  readonly timeoutMs?: number
}

const PREFIX = '/api/v1'
const SESSION = '/auth/session'

/** Words that were not enough for somebody who is logged in, and no reason to log him out. */
const OF_A_PASSWORD: ReadonlySet<string> = new Set(['PASSWORD_WRONG', 'LOGIN_FAILED'])

/**
 * The API of the host that the page came from, and of no other. Who asks is known by a cookie that this script cannot read; what changes something
 * has the session's CSRF token beside it, which is worth nothing without that cookie.
 */
export class Api {
  readonly #deps: ApiDeps
  #csrf: string | undefined
  #userId: string | undefined

  constructor(deps: ApiDeps) {
    this.#deps = deps
  }

  /** Who is logged in, if anybody is. */
  async session(): Promise<Session | undefined> {
    try {
      return this.#took(await this.#ask<Session>('GET', SESSION, {}))
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.failure.kind === 'answer' && thrown.failure.status === 401)
        return undefined
      throw thrown
    }
  }

  async logIn(username: string, password: string): Promise<Session> {
    return this.#took(await this.#ask<Session>('POST', SESSION, { body: { username, password } }))
  }

  async logOut(): Promise<void> {
    await this.request('DELETE', SESSION)
    this.#csrf = undefined
    this.#userId = undefined
  }

  /**
   * The `data` of the answer.
   * @throws ApiError
   */
  async request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
    try {
      return await this.#ask<T>(method, path, options)
    } catch (thrown) {
      if (!(thrown instanceof ApiError)) throw thrown
      // Somebody has logged in again in another window: the cookie is shared, and the token is not.
      if (thrown.is('CSRF_TOKEN_INVALID')) return this.#again<T>(thrown, method, path, options)
      const { failure } = thrown
      if (failure.kind === 'answer' && failure.status === 401 && !OF_A_PASSWORD.has(failure.code))
        this.#deps.onExpired()
      throw thrown
    }
  }

  /** GET of a path outside of the API: its status, and its body if that is JSON. */
  async probe(path: string): Promise<{ readonly status: number; readonly body: unknown }> {
    const response = await this.#fetch('GET', path, { headers: {} }, undefined)
    return { status: response.status, body: await jsonOf(response) }
  }

  async #again<T>(refused: ApiError, method: Method, path: string, options: RequestOptions): Promise<T> {
    const before = this.#userId
    const session = await this.session()
    if (session === undefined) {
      this.#deps.onExpired()
      throw refused
    }
    if (session.user.id !== before) {
      this.#deps.onOtherUser(session)
      throw refused
    }
    return this.#ask<T>(method, path, options)
  }

  #took(session: Session): Session {
    this.#csrf = session.csrfToken
    this.#userId = session.user.id
    return session
  }

  async #ask<T>(method: Method, path: string, options: RequestOptions): Promise<T> {
    const { query = {}, body, version, idempotencyKey, signal } = options
    const unsafe = method !== 'GET'
    const parts = Object.entries(query).flatMap(([name, value]) =>
      value === undefined || value === '' ? [] : [`${name}=${encodeURIComponent(value)}`],
    )
    const url = `${PREFIX}${path}${parts.length === 0 ? '' : `?${parts.join('&')}`}`
    const headers: Record<string, string> = {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(unsafe && this.#csrf !== undefined ? { 'x-csrf-token': this.#csrf } : {}),
      ...(version === undefined ? {} : { 'if-match': `"${version}"` }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    }
    const init: RequestInit = { headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
    const response = await this.#fetch(method, url, init, signal)
    const answer = await jsonOf(response)
    if (!response.ok || !isSuccess(answer))
      throw new ApiError(failureOf(response.status, answer, response.headers.get('retry-after')), unsafe)
    // What the route answers is the service's promise, held by its own tests.
    return answer.data as T
  }

  async #fetch(method: Method, url: string, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
    const { timeoutMs = TIMEOUT_MS } = this.#deps
    const timeout = AbortSignal.timeout(timeoutMs)
    const unsafe = method !== 'GET'
    try {
      return await this.#deps.fetch(url, {
        ...init,
        method,
        credentials: 'same-origin',
        redirect: 'error',
        cache: 'no-store',
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      })
    } catch (thrown) {
      if (signal?.aborted) throw thrown
      throw new ApiError(
        timeout.aborted ? { kind: 'timeout', seconds: timeoutMs / 1_000 } : { kind: 'network' },
        unsafe,
      )
    }
  }
}

const isSuccess = (value: unknown): value is { readonly success: true; readonly data?: unknown } =>
  typeof value === 'object' && value !== null && 'success' in value && value.success === true

async function jsonOf(response: Response): Promise<unknown> {
  try {
    return JSON.parse(await response.text()) as unknown
  } catch {
    return undefined
  }
}
