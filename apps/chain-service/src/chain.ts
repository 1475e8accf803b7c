import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  contextOf,
  discardBody,
  formatDurationNs,
  hasBody,
  MAX_BODY_BYTES,
  type RequestContext,
} from '@bulkhead/service-kit'
import { ipAddresses } from './addresses.js'
import { type Answer, emptyAnswer } from './answer/answer.js'
import { readAnswer } from './answer/read.js'
import { writeAnswer } from './answer/write.js'
import { monotonic, timestamp } from './clock.js'
import type { ChainConfig } from './config.js'
import { cors } from './cors.js'
import type { Fault } from './faults/injector.js'
import type { RequestSpans } from './tracing/request-spans.js'
import { callAll, type StartedCall } from './upstream/call-all.js'
import type { UpstreamClient } from './upstream/client.js'
import type { Outcome } from './upstream/exchange.js'
import { PROPAGATED, propagate } from './upstream/propagation.js'
import { target, type Upstream } from './upstream/uris.js'

/** The original's content type: it sends its JSON as text, and clients of it may look at that. */
export const CONTENT_TYPE = 'text/plain; charset=utf-8'

export interface ChainParts {
  readonly config: ChainConfig
  readonly client: UpstreamClient
  readonly inject: () => Fault | undefined
  /** How long a request is to take in all, in ms. */
  readonly timing: () => number
  readonly isReady: () => boolean
  readonly spans: ((request: IncomingMessage, context: RequestContext) => RequestSpans) | undefined
}

/** Answers a request as fake-service v0.7.8 does: any path, any method, calling the upstreams in between. */
export function createChain({
  config,
  client,
  inject,
  timing,
  isReady,
  spans: startSpans,
}: ChainParts): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const names: readonly string[] = config.HTTP_CLIENT_APPEND_REQUEST
    ? [...PROPAGATED, ...config.HTTP_CLIENT_PROPAGATE_HEADERS]
    : []
  // With spans of our own, theirs are told instead of the caller's.
  const namesBesideSpans = names.filter((name) => name !== 'b3' && !name.startsWith('x-b3-'))

  return async function handle(request, response) {
    if (cors(request, response)) return
    if (config.READY_CHECK_ROOT_PATH_WAIT_TILL_READY && !isReady()) {
      response.writeHead(503).end()
      return
    }
    const context = contextOf(request)
    const started = context.startedAt
    context.route = '/*'
    if (hasBody(request)) await discardBody(request, MAX_BODY_BYTES)
    const spans = startSpans?.(request, context)

    const answer = emptyAnswer()
    answer.name = config.NAME
    answer.uri = context.url
    answer.type = 'HTTP'
    answer.ipAddresses = ipAddresses()

    const fault = inject()
    if (fault !== undefined) {
      if (fault.delayMs > 0) await pause(fault.delayMs, context)
      answer.code = fault.code
      answer.error = fault.error
      spans?.end({ response: String(fault.code), error: fault.error })
      reply(response, fault.code, answer)
      return
    }

    let failed = false
    if (config.UPSTREAM_URIS.length > 0) {
      const results = await callAll(
        config.UPSTREAM_URIS,
        config.UPSTREAM_WORKERS,
        (upstream) => call(upstream, request, context, spans),
        (started) => context.onAbort(() => started.abort()),
      )
      answer.upstreamCalls = results.answers
      failed = results.failed
    }
    if (!failed) {
      const total = timing()
      const remaining = total === 0 ? 0 : total - (monotonic() - started)
      if (remaining > 0) {
        const span = spans?.delay()
        await pause(remaining, context)
        span?.end({})
      }
      answer.body = config.MESSAGE
    }
    if (context.aborted) return

    const ended = monotonic()
    answer.startTime = timestamp(started)
    answer.endTime = timestamp(ended)
    answer.duration = formatDurationNs((ended - started) * 1e6)
    answer.code = failed ? 500 : 200
    spans?.end({ response: String(answer.code), ...(failed ? { error: 'an upstream call failed' } : {}) })
    reply(response, answer.code, answer)
  }

  function call(
    upstream: Upstream,
    request: IncomingMessage,
    context: RequestContext,
    spans: RequestSpans | undefined,
  ): StartedCall {
    const { path, url } = target(upstream, context.url, config.HTTP_CLIENT_APPEND_REQUEST)
    const span = spans?.call(url)
    const headers = propagate(request, context, span === undefined ? names : namesBesideSpans, span?.spanId)
    if (span !== undefined) headers.push(...span.headers)
    const started = client.get(upstream.origin, path, url, headers)
    return {
      abort: () => started.abort(),
      result: started.outcome.then((outcome) => {
        const error = problem(outcome)
        span?.end({ response: String(outcome.code), ...(error === '' ? {} : { error }) })
        return { answer: entry(upstream.uri, outcome, error), failed: error !== '' }
      }),
    }
  }
}

/** An upstream's place in the answer: its own JSON where there is one, with our word for its address, status and failure. */
function entry(uri: string, { code, body }: Outcome, error: string): Answer {
  const own = body === undefined ? undefined : readAnswer(body)
  const answer = own ?? emptyAnswer()
  answer.uri = uri
  answer.code = code
  // Without a failure of ours, an error that the upstream told of itself stays: with status 200 it is not one for us.
  if (error !== '') answer.error = error
  return answer
}

function problem({ code, failure, url }: Outcome): string {
  if (failure?.phase === 'connect')
    return `Error communicating with upstream service: Get "${failure.url}": ${failure.text}`
  if (failure?.phase === 'body') return `Error reading response body: ${failure.text}`
  return code === 200 ? '' : `Error processing upstream request: ${url}`
}

function reply(response: ServerResponse, status: number, answer: Answer): void {
  if (response.destroyed) return
  const text = writeAnswer(answer)
  response.statusCode = status
  response.setHeader('Content-Type', CONTENT_TYPE)
  response.setHeader('Content-Length', Buffer.byteLength(text))
  response.end(text)
}

/** Sleeps, or less when the client goes away. */
async function pause(ms: number, context: RequestContext): Promise<void> {
  // Node rounds down to whole milliseconds, and "at least" is what was asked for; beyond 2^31 it would not wait at all.
  await sleep(Math.min(Math.ceil(ms), 2 ** 31 - 1), undefined, { signal: context.signal }).catch(() => {})
}
