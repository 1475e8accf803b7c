import {
  type ConfigValues,
  logSettings,
  type ReadConfig,
  readConfig,
  settings,
  shutdownSettings,
} from '@bulkhead/service-kit'
import { readUpstreams } from './upstream/uris.js'

const { address, boolean, decimal, duration, integer, oneOf, optional, percentage, setting, text } = settings

/** A status that may be answered with: 1xx would not end the exchange, and outside of 100 to 599 clients differ. */
const status = (fallback: string) => integer(fallback, { min: 200, max: 599 })

/** The variables of fake-service v0.7.8 that this service honours, under the same names and defaults, and a few of its own. */
export const shape = {
  LISTEN_ADDR: address('0.0.0.0:9090'),
  NAME: text('Service'),
  MESSAGE: text('Hello World'),
  SERVER_TYPE: setting(readServerType, 'http'),

  UPSTREAM_URIS: setting(readUpstreams, ''),
  UPSTREAM_WORKERS: integer('1', { min: 1, max: 64 }),
  HTTP_CLIENT_KEEP_ALIVES: boolean('false'),
  HTTP_CLIENT_APPEND_REQUEST: boolean('true'),
  HTTP_CLIENT_REQUEST_TIMEOUT: duration('30s'),
  /** Ours: names of further headers to pass on, beside those of tracing. */
  HTTP_CLIENT_PROPAGATE_HEADERS: setting(readHeaderNames, ''),

  TIMING_50_PERCENTILE: duration('0s'),
  TIMING_90_PERCENTILE: duration('0s'),
  TIMING_99_PERCENTILE: duration('0s'),
  TIMING_VARIANCE: percentage('0'),

  ERROR_RATE: decimal('0', { min: 0, max: 1 }),
  ERROR_TYPE: oneOf(['http_error', 'delay'], 'http_error'),
  ERROR_CODE: status('500'),
  ERROR_DELAY: duration('0s'),
  RATE_LIMIT: decimal('0', { min: 0, max: 1e9 }),
  RATE_LIMIT_CODE: status('503'),
  RAND_SEED: optional(readSeed),

  HEALTH_CHECK_RESPONSE_CODE: status('200'),
  READY_CHECK_RESPONSE_SUCCESS_CODE: status('200'),
  READY_CHECK_RESPONSE_FAILURE_CODE: status('503'),
  READY_CHECK_RESPONSE_DELAY: duration('0s'),
  READY_CHECK_ROOT_PATH_WAIT_TILL_READY: boolean('false'),

  TRACING_ZIPKIN: optional(readCollector),

  ...logSettings,
  LOG_FORMAT: oneOf(['json', 'text'], 'text'),
  ...shutdownSettings,
}

export type ChainConfig = ConfigValues<typeof shape> & {
  /** /ready came after v0.7.8, where that path is answered as any other: only asking for it brings it. */
  readonly answersReady: boolean
}

/** Variables of fake-service that change nothing here: said once at start, rather than ignored in silence. */
const NOT_HONOURED =
  /^(UPSTREAM_(ALLOW_INSECURE|REQUEST_)|ALLOWED_(ORIGINS|HEADERS)$|ALLOW_CREDENTIALS$|HTTP_SERVER_|LOAD_|TRACING_DATADOG|METRICS_DATADOG|LOG_OUTPUT$|TLS_(CERT|KEY)_LOCATION$|UI_PATH$)/

export interface ReadChainConfig {
  readonly config: ChainConfig
  readonly effective: ReadConfig<typeof shape>['effective']
  /** The names of variables that are set and not honoured. */
  readonly ignored: readonly string[]
}

/** @throws ConfigError with every bad value */
export function readChainConfig(env: Readonly<Record<string, string | undefined>> = process.env): ReadChainConfig {
  const { values, effective } = readConfig(shape, env)
  const answersReady = Object.keys(env).some((name) => name.startsWith('READY_CHECK_') && env[name] !== '')
  return {
    config: { ...values, answersReady },
    effective,
    ignored: Object.keys(env).filter((name) => NOT_HONOURED.test(name) && env[name] !== ''),
  }
}

function readServerType(value: string): 'http' {
  if (value === 'http') return value
  if (value === 'grpc')
    throw new RangeError('this service speaks HTTP only; set SERVER_TYPE=http, or run the original image for gRPC')
  throw new RangeError('it must be http')
}

function readSeed(value: string): number {
  if (!/^-?\d{1,15}$/.test(value)) throw new RangeError('it must be a whole number')
  return Number(value)
}

function readCollector(value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new RangeError('it must be an http:// or https:// URL, as in http://zipkin:9411')
  return url
}

/** Headers of one hop (RFC 9110, 7.6.1) and of framing: passing them on would break the next message, or lie about it. */
const HOP_BY_HOP = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

function readHeaderNames(value: string): readonly string[] {
  return settings.splitList(value).map((entry) => {
    const name = entry.toLowerCase()
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) throw new RangeError(`${JSON.stringify(entry)} is not a header name`)
    if (HOP_BY_HOP.has(name)) throw new RangeError(`${name} belongs to one connection, and cannot be passed on`)
    return name
  })
}
