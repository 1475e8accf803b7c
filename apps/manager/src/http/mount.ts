import type { IncomingMessage, ServerResponse } from 'node:http'
import { contextOf, ServiceError, type ServiceOptions, send } from '@bulkhead/service-kit'
import type { ObjectId } from 'mongodb'
import type { AuditLog } from '../audit/log.js'
import type { PolicyDoc } from '../store/documents.js'
import { storeFailure } from '../store/failures.js'
import { readJson } from './body.js'
import { type CredentialsReader, headerAlone } from './credentials.js'
import { Denied, DeniedScheduler, schedulerName } from './denied.js'
import { API_TYPE, success, toJson } from './envelope.js'
import { check } from './fields.js'
import type { Answer, Call, Caller, Route } from './route.js'
import { parseIdempotencyKey, parseIfMatch } from './versions.js'

/** Who is let in, and by which policies. */
export interface Admission {
  /** Absent: a scheduler. */
  readonly caller?: Caller
  /** Those that grant the route's permission; none where it asks for no permission. */
  readonly granted: readonly PolicyDoc[]
}

/**
 * Says who calls, and whether he may call this route.
 * @param params of the path, as they came
 * @throws ServiceError 401 or 403
 */
export type Guard = (
  route: Route,
  authorization: string | undefined,
  params: Readonly<Record<string, string>>,
) => Promise<Admission>

export interface MountDeps {
  readonly guard: Guard
  readonly audit: AuditLog
  /** Milliseconds since 1970. */
  readonly now?: () => number
  /** Whose request it is, for limits and the audit log; the other end of the connection unless said otherwise. */
  readonly ipOf?: (request: IncomingMessage) => string
  /** What a caller shows, and whether a browser may show it for him; the Authorization header alone unless said otherwise. */
  readonly credentials?: CredentialsReader
}

type App = Parameters<ServiceOptions['routes']>[0]

/** What Express has added to a request when a route is reached. */
interface Routed extends IncomingMessage {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
}

/** Registers the routes: each request is let in, read, held against the schemas, handled, noted, and answered. */
export function mountRoutes(app: App, routes: readonly Route[], deps: MountDeps): void {
  // A proxy in front judges paths letter by letter: another spelling must not be the same route behind it.
  app.enable('case sensitive routing')
  app.enable('strict routing')
  for (const route of routes) {
    const path = route.path.replace(/\{(\w+)\}/g, ':$1')
    const handler = (request: unknown, response: unknown): Promise<void> =>
      answer(route, deps, request as Routed, response as ServerResponse)
    if (route.method === 'GET') app.get(path, handler)
    else if (route.method === 'POST') app.post(path, handler)
    else if (route.method === 'PUT') app.put(path, handler)
    else app.delete(path, handler)
  }
}

async function answer(route: Route, deps: MountDeps, request: Routed, response: ServerResponse): Promise<void> {
  const { audit, now = Date.now, ipOf = peerOf, credentials: reader = headerAlone } = deps
  const context = contextOf(request)
  const ip = ipOf(request)
  // Of every answer, refusals too.
  response.setHeader('cache-control', 'no-store')
  response.setHeader('x-content-type-options', 'nosniff')
  let caller: Caller | undefined
  let target: string | undefined
  let account: { readonly id?: ObjectId; readonly username: string } | undefined

  /** Notes it. Of nobody who is known, only what was decided about him is: else strangers could fill the database. */
  const note = async (outcome: 'ok' | 'refused' | 'failed', code?: string, decided = true): Promise<void> => {
    if (route.audit === undefined || !isNoted(outcome, decided)) return
    const { id: userID, username } = caller ?? account ?? {}
    await audit.record({
      action: route.audit,
      outcome,
      requestID: context.id,
      ip,
      ...(userID === undefined ? {} : { userID }),
      ...(username === undefined ? {} : { username }),
      ...(target === undefined ? {} : { target }),
      ...(code === undefined ? {} : { code }),
    })
  }

  const isNoted = (outcome: string, decided: boolean): boolean => {
    if (route.permission === 'scheduler') return account !== undefined && outcome !== 'ok'
    return caller !== undefined || (route.permission === 'none' && decided)
  }

  try {
    // Who calls comes first: a stranger learns nothing of what a body should look like, and has none read.
    const credentials = reader.read(request)
    if (route.permission !== 'none' && route.permission !== 'scheduler') reader.refuseForged(credentials, request)
    const admission =
      route.permission === 'none' ? undefined : await deps.guard(route, credentials.authorization, request.params)
    caller = admission?.caller
    if (route.permission === 'scheduler') account = { username: schedulerName(request.params.node ?? '') }
    const call: Call = {
      params: route.params === undefined ? {} : check(route.params, request.params, 'params'),
      query: route.query === undefined ? {} : check(route.query, request.query, 'query'),
      body: route.body === undefined ? undefined : check(route.body, await readJson(request), 'body'),
      caller,
      granted: admission?.granted ?? [],
      ip,
      authorization: credentials.authorization,
      credentials,
      context,
      ifMatch: route.ifMatch ? parseIfMatch(request.headers['if-match']) : undefined,
      idempotencyKey: route.idempotent ? parseIdempotencyKey(single(request.headers['idempotency-key'])) : undefined,
      about: (name) => {
        target = name
      },
      who: (named) => {
        account = named
      },
    }
    const result = await route.handle(call)
    target = result.target ?? target
    await note('ok')
    write(route, result, response, now())
  } catch (thrown) {
    if (thrown instanceof Denied) caller = thrown.caller
    if (thrown instanceof DeniedScheduler) account = { username: schedulerName(thrown.node) }
    const failure = storeFailure(thrown)
    const { code, status } = failure instanceof ServiceError ? failure : { code: 'INTERNAL', status: 500 }
    const noted = (): Promise<void> => note(status < 500 ? 'refused' : 'failed', code, status === 401)
    // Whether it was done nobody knows then; the answer has waited for the database long enough.
    if (code === 'UNAVAILABLE') void noted()
    // Those that a limit has held off are in the log and the metrics; each in the database would be what it is to prevent.
    else if (status !== 429) await noted()
    if (status === 401) response.setHeader('www-authenticate', 'Bearer')
    throw failure
  }
}

function write(route: Route, { status, data, headers }: Answer, response: ServerResponse, now: number): void {
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value)
  send(response, status ?? route.status ?? 200, API_TYPE, route.raw ? toJson(data) : success(data, now))
}

const peerOf = (request: IncomingMessage): string => request.socket.remoteAddress ?? ''

const single = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(',') : header
