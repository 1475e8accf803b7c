import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '@bulkhead/service-kit'
import { readChainConfig } from './config.js'

test('the defaults are those of v0.7.8', () => {
  const { config } = readChainConfig({})
  assert.deepEqual(config.LISTEN_ADDR, { host: '0.0.0.0', port: 9090 })
  assert.deepEqual(
    [
      config.NAME,
      config.MESSAGE,
      config.UPSTREAM_WORKERS,
      config.HTTP_CLIENT_KEEP_ALIVES,
      config.HTTP_CLIENT_APPEND_REQUEST,
      config.HTTP_CLIENT_REQUEST_TIMEOUT,
    ],
    ['Service', 'Hello World', 1, false, true, 30_000],
  )
  assert.deepEqual(
    [config.ERROR_RATE, config.ERROR_TYPE, config.ERROR_CODE, config.RATE_LIMIT, config.RATE_LIMIT_CODE],
    [0, 'http_error', 500, 0, 503],
  )
  assert.deepEqual([config.LOG_FORMAT, config.LOG_LEVEL], ['text', 'info'])
  assert.deepEqual(config.UPSTREAM_URIS, [])
  assert.equal(config.answersReady, false)
  assert.equal(readChainConfig({ READY_CHECK_RESPONSE_DELAY: '1s' }).config.answersReady, true)
})

/** Bad values, and a word of the reason. Each would have been a panic, or a silence, in the original. */
const BAD: readonly (readonly [string, string, RegExp])[] = [
  ['ERROR_RATE', '1.5', /from 0 to 1/],
  ['ERROR_RATE', '-0.1', /from 0 to 1/],
  ['ERROR_RATE', 'NaN', /number/],
  ['ERROR_CODE', '99', /200 to 599/],
  ['ERROR_TYPE', 'explode', /http_error, delay/],
  ['RATE_LIMIT', '-1', /from 0/],
  ['SERVER_TYPE', 'grpc', /HTTP only/],
  ['SERVER_TYPE', 'ftp', /must be http/],
  ['UPSTREAM_URIS', 'http://ok:1,grpc://recommendation:8080', /"grpc:\/\/recommendation:8080" .*gRPC/],
  ['UPSTREAM_URIS', 'http://', /not a URL/],
  ['UPSTREAM_URIS', 'http://me:pw@host', /user name/],
  ['UPSTREAM_WORKERS', '0', /from 1/],
  ['HTTP_CLIENT_REQUEST_TIMEOUT', '30', /duration/],
  ['HTTP_CLIENT_REQUEST_TIMEOUT', '1000h', /at most 500h/],
  ['HTTP_CLIENT_KEEP_ALIVES', 'yes', /true or false/],
  ['HTTP_CLIENT_PROPAGATE_HEADERS', 'x-user,connection', /one connection/],
  ['HTTP_CLIENT_PROPAGATE_HEADERS', 'x user', /not a header name/],
  ['TIMING_VARIANCE', '101', /0 to 100/],
  ['TRACING_ZIPKIN', 'zipkin:9411', /http/],
  ['RAND_SEED', 'x', /whole number/],
  ['LISTEN_ADDR', '8080', /host:port/],
  ['LOG_FORMAT', 'xml', /json, text/],
]

for (const [name, value, reason] of BAD) {
  test(`${name}=${value} is refused`, () => {
    assert.throws(
      () => readChainConfig({ [name]: value }),
      (error) =>
        error instanceof ConfigError &&
        error.problems.length === 1 &&
        error.message.startsWith(`invalid env var ${name}=`) &&
        reason.test(error.message),
    )
  })
}

test('variables of the original that change nothing are named', () => {
  const { ignored } = readChainConfig({
    LOAD_CPU_PERCENTAGE: '50',
    TLS_KEY_LOCATION: '/k',
    UI_PATH: '',
    PATH: '/bin',
    NAME: 'x',
  })
  assert.deepEqual(ignored, ['LOAD_CPU_PERCENTAGE', 'TLS_KEY_LOCATION'])
})
