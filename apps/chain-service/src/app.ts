import type { IncomingMessage } from 'node:http'
import { Counter, createService, type RequestContext, type Service, type ServiceLog, send } from '@bulkhead/service-kit'
import { ipAddresses } from './addresses.js'
import { createChain } from './chain.js'
import { monotonic } from './clock.js'
import type { ChainConfig } from './config.js'
import { cors } from './cors.js'
import { createInjector } from './faults/injector.js'
import { createRandom } from './faults/random.js'
import { createTiming } from './faults/timing.js'
import { createReadiness } from './readiness.js'
import { ZipkinReporter } from './tracing/reporter.js'
import { RequestSpans } from './tracing/request-spans.js'
import { UpstreamClient } from './upstream/client.js'

const TEXT = 'text/plain; charset=utf-8'

export interface AppDeps {
  readonly config: ChainConfig
  readonly log: ServiceLog
}

/** Builds the service; main.ts makes it listen. */
export function createApp({ config, log }: AppDeps): Service {
  const client = new UpstreamClient([...new Set(config.UPSTREAM_URIS.map(({ origin }) => origin))], {
    keepAlive: config.HTTP_CLIENT_KEEP_ALIVES,
    timeoutMs: config.HTTP_CLIENT_REQUEST_TIMEOUT,
  })
  const random = createRandom(config.RAND_SEED)
  const readiness = createReadiness(config.READY_CHECK_RESPONSE_DELAY)
  const tracing = createTracing({ config, log })

  const handle = createChain({
    config,
    client,
    inject: createInjector({
      errorRate: config.ERROR_RATE,
      errorType: config.ERROR_TYPE,
      errorCode: config.ERROR_CODE,
      errorDelayMs: config.ERROR_DELAY,
      rateLimit: config.RATE_LIMIT,
      rateLimitCode: config.RATE_LIMIT_CODE,
      random: config.RAND_SEED === undefined ? undefined : createRandom(config.RAND_SEED),
      now: monotonic,
    }),
    timing: createTiming({
      p50Ms: config.TIMING_50_PERCENTILE,
      p90Ms: config.TIMING_90_PERCENTILE,
      p99Ms: config.TIMING_99_PERCENTILE,
      variancePercent: config.TIMING_VARIANCE,
      random,
    }),
    isReady: readiness.isReady,
    spans: tracing?.start,
  })

  const service = createService({
    log,
    checks: { 'start delay': readiness.check },
    health: (request, response) => {
      if (!cors(request, response)) send(response, config.HEALTH_CHECK_RESPONSE_CODE, TEXT, 'OK')
    },
    routes: (app) => {
      if (config.answersReady) {
        app.all('/ready', (_request, response) => {
          if (readiness.isReady()) send(response, config.READY_CHECK_RESPONSE_SUCCESS_CODE, TEXT, 'OK')
          else send(response, config.READY_CHECK_RESPONSE_FAILURE_CODE, TEXT, 'Starting Process')
        })
      }
      app.use(handle)
    },
  })
  service.onClose('upstream connections', () => client.close())
  if (tracing !== undefined) {
    service.onClose('span reporter', () => tracing.reporter.close())
    service.metrics.registry.registerMetric(tracing.dropped)
  }
  return service
}

interface Tracing {
  readonly reporter: ZipkinReporter
  readonly dropped: Counter
  start(request: IncomingMessage, context: RequestContext): RequestSpans
}

/** A collector that is down is told of once in this time, however many spans it costs. */
const WARN_EVERY_MS = 60_000

function createTracing({ config, log: { log } }: AppDeps): Tracing | undefined {
  const endpoint = config.TRACING_ZIPKIN
  if (endpoint === undefined) return undefined
  const dropped = new Counter({
    name: 'zipkin_spans_dropped_total',
    help: 'Spans that did not reach the collector.',
    registers: [],
  })
  let warned = Number.NEGATIVE_INFINITY
  const reporter = new ZipkinReporter({
    endpoint,
    onDropped: (spans, why) => {
      dropped.inc(spans)
      if (monotonic() - warned < WARN_EVERY_MS) return
      warned = monotonic()
      log.warn({ collector: endpoint.href, why }, 'spans were dropped: the Zipkin collector does not take them')
    },
  })
  return {
    reporter,
    dropped,
    start: (request, context) =>
      new RequestSpans(
        reporter,
        { serviceName: config.NAME, ipv4: ipAddresses()[0], port: config.LISTEN_ADDR.port },
        request,
        context,
      ),
  }
}
