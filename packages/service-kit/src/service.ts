import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Express } from 'express'
import type { Address } from './config/settings.js'
import type { ServiceError } from './errors/define-errors.js'
import type { RenderError } from './errors/envelope.js'
import { kitErrors } from './errors/kit-errors.js'
import { toServiceError } from './errors/to-service-error.js'
import { type Check, Health } from './health/health.js'
import { allowedMethods } from './http/allowed-methods.js'
import { sendError, writeRawError } from './http/answers.js'
import { createExpress } from './http/express-server.js'
import { defaultLimits, type Limits, TIMEOUT_CHECK_MS } from './http/limits.js'
import { refusal, wireRefusal } from './http/refusals.js'
import { contextOf, RequestContext, type WithContext } from './http/request-context.js'
import { Connections } from './lifecycle/connections.js'
import { withDeadline } from './lifecycle/deadline.js'
import type { ServiceLog } from './log/logger.js'
import { pathOf, recordOf, routeOf } from './log/request-line.js'
import { ServiceMetrics } from './metrics/metrics.js'
import { type Handler, ownRoutes } from './own-routes.js'
import { randomHex } from './trace/random-ids.js'

export interface ServiceOptions {
  readonly log: ServiceLog
  /** Adds the service's routes. What they throw is answered by its code; what they leave unanswered is a 404 or 405. */
  readonly routes: (app: Express) => void
  /** What has to work before the service may have traffic, by name. */
  readonly checks?: Readonly<Record<string, Check>>
  /** Replaces the answer at /health, for services whose contract has another one. Called for any method. */
  readonly health?: RequestListener
  readonly limits?: Partial<Limits>
  /** Writes every failure in the service's own envelope, for services whose contract has one: also 404, 405 and what HTTP itself refuses. */
  readonly renderError?: RenderError
}

export interface CloseOptions {
  /** How long to go on serving after having said "not ready". */
  readonly delayMs?: number
  /** For all of the shutdown. */
  readonly timeoutMs?: number
}

/** A service, built and not yet listening. */
export interface Service {
  /** Give this to supertest, not an Express app: it carries the limits, the context and the probes. */
  readonly server: Server
  readonly metrics: ServiceMetrics
  readonly health: Health
  /** Something to close once the last request is done; the last registered goes first. */
  onClose(name: string, close: () => unknown): void
  /** Listens and says ready. Rejects with Node's error when it cannot. */
  listen(address: Address): Promise<AddressInfo>
  /** The whole shutdown, in order: unready, wait, stop accepting, drain, close what onClose registered, flush the log. Further calls wait for the first. */
  close(options?: CloseOptions): Promise<void>
}

/** Builds an HTTP service: context, limits, log line, metrics, probes, errors and shutdown around the given routes. */
export function createService(options: ServiceOptions): Service {
  const { log } = options.log
  const limits: Limits = { ...defaultLimits, ...options.limits }
  const { app, serve } = createExpress()
  options.routes(app)
  // Express would answer OPTIONS by itself, in words of its own: where no route does, it is a method as any other.
  app.use((request, _response, next) =>
    next(request.method === 'OPTIONS' ? nothingHere(contextOf(request)) : undefined),
  )

  const health = new Health({
    checks: options.checks ?? {},
    onFailure: (check, err) => log.warn({ check, err }, 'readiness check failed'),
  })
  const own = ownRoutes(options.health, health, () => metrics)

  const server = serve(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      requireHostHeader: false, // asked for in refusal(), so that it is answered as every other error
      noDelay: true,
    },
    handle,
  )
  server.maxHeadersCount = 0 // counted in refusal(); Node's own limit drops headers without a word
  server.maxConnections = limits.maxConnections
  server.timeout = limits.inactivityTimeoutMs
  const connections = new Connections(server)
  const metrics = new ServiceMetrics(
    () => connections.inFlight,
    () => connections.size,
  )
  server.on('clientError', refuseBytes)
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response, (_request, _response, context) =>
      fail(response, context, kitErrors.error('EXPECTATION_FAILED')),
    )
  })
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (refusal(request, limits) === undefined) response.writeContinue()
    handle(request, response)
  })
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    // Node has taken its listeners away: without one of ours a client that resets here would end the process.
    socket.on('error', () => socket.destroy())
    refuseOnWire(socket, kitErrors.error('METHOD_NOT_ALLOWED', 'This service is no proxy: it does not answer CONNECT.'))
  })

  function handle(request: IncomingMessage, response: ServerResponse): void {
    answer(request, response, route)
  }

  function answer(request: IncomingMessage, response: ServerResponse, handler: Handler): void {
    const context = new RequestContext(request)
    ;(request as IncomingMessage & WithContext).context = context
    connections.begin(request, response)
    response.setHeader('x-request-id', context.id)
    response.once('close', () => {
      const now = performance.now()
      connections.end(request, now)
      context.end(response.writableFinished)
      const seconds = (now - context.startedAt) / 1000
      // 499, as proxies log it: there was nobody left to be answered.
      const status = context.aborted ? 499 : response.statusCode
      metrics.observe(request.method ?? '', context.route ?? routeOf(request, context.url, own), status, seconds)
      options.log.request(recordOf(request, context, status, seconds, own))
    })
    handler(request, response, context)
  }

  function route(request: IncomingMessage, response: ServerResponse, context: RequestContext): void {
    const refused = refusal(request, limits) ?? tooMany(request.socket)
    if (refused !== undefined) {
      fail(response, context, refused)
      return
    }
    const ownRoute = own.get(pathOf(context.url))
    if (ownRoute !== undefined) {
      void answerOwn(ownRoute, request, response, context)
      return
    }
    // Express's own types do not know that a request of its server's class is an Express request.
    const run = app as unknown as (
      request: IncomingMessage,
      response: ServerResponse,
      next: (thrown?: unknown) => void,
    ) => void
    run(request, response, (thrown) => fail(response, context, thrown ? toServiceError(thrown) : nothingHere(context)))
  }

  /** The refusals queue behind what is in progress, and once a few wait, Node stops reading from the connection. */
  function tooMany(socket: Socket): ServiceError | undefined {
    if (connections.activeOn(socket) <= limits.maxPipelined) return undefined
    return kitErrors.error(
      'TOO_MANY_REQUESTS',
      `This connection has ${limits.maxPipelined} requests in progress; this service takes no more on one at a time.`,
    )
  }

  async function answerOwn(
    handler: Handler,
    request: IncomingMessage,
    response: ServerResponse,
    context: RequestContext,
  ): Promise<void> {
    try {
      await handler(request, response, context)
    } catch (thrown) {
      fail(response, context, toServiceError(thrown))
    }
  }

  function nothingHere(context: RequestContext): ServiceError {
    const allowed = allowedMethods(app, pathOf(context.url))
    if (allowed.length === 0) return kitErrors.error('NOT_FOUND')
    return kitErrors.error('METHOD_NOT_ALLOWED', undefined, { headers: { allow: allowed.join(', ') } })
  }

  function fail(response: ServerResponse, context: RequestContext, error: ServiceError): void {
    context.failure = error
    const expected = error.status < 500 || error.cause === undefined
    // The caller is told the sentence; the cause, with its stack, is for the log alone.
    if (!expected)
      log.error(
        { requestId: context.id, traceId: context.trace.traceId, code: error.code, err: error.cause },
        'request failed',
      )
    sendError(response, error, context.id, options.renderError)
  }

  function refuseBytes(cause: Error & { code?: string }, socket: Socket): void {
    const error = wireRefusal(cause)
    if (error === undefined) socket.destroy()
    else refuseOnWire(socket, error)
  }

  function refuseOnWire(socket: Socket, error: ServiceError): void {
    if (connections.isAnswering(socket)) {
      socket.destroy()
      return
    }
    const requestId = randomHex(16)
    metrics.refused(error.code)
    log.info({ code: error.code, requestId, remote: socket.remoteAddress }, 'connection refused')
    writeRawError(socket, error, requestId, options.renderError)
  }

  const hooks: { readonly name: string; readonly close: () => unknown }[] = []
  let closed: Promise<void> | undefined

  async function shutdown({ delayMs = 0, timeoutMs = 15_000 }: CloseOptions): Promise<void> {
    const deadline = performance.now() + timeoutMs
    // 1. Unready first: whoever sends us traffic learns it before anything is closed.
    health.markUnready('shutting down')
    connections.askToLeave()
    // 2. Endpoints lag behind readiness. What still comes in the meantime is served as ever.
    if (delayMs > 0 && server.listening) await sleep(Math.min(delayMs, timeoutMs))
    // 3. and 4. Nothing new, and what was taken in is finished.
    const cut = await connections.drain(deadline)
    if (cut > 0)
      log.warn(
        { requests: cut, afterMs: timeoutMs },
        'requests cut off: they were not done when the time for the shutdown was over',
      )
    // 5. Only now the pools: a request in step 4 still needed them. In reverse, since what came later uses what came before.
    for (const { name, close } of hooks.reverse()) {
      try {
        await withDeadline(Promise.resolve(close()), Math.max(deadline - performance.now(), 100), name)
      } catch (err) {
        log.error({ err, resource: name }, 'could not be closed')
      }
    }
    log.info('stopped')
    // 6. The log last, so that it holds all of the above.
    options.log.flush()
  }

  return {
    server,
    metrics,
    health,
    onClose: (name, close) => hooks.push({ name, close }),
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen({ host, port }, () => {
          server.removeListener('error', reject)
          health.markReady()
          const address = server.address() as AddressInfo
          log.info({ address: `${address.address}:${address.port}` }, 'listening')
          resolve(address)
        })
      }),
    close: (closeOptions = {}) => {
      closed ??= shutdown(closeOptions)
      return closed
    },
  }
}
