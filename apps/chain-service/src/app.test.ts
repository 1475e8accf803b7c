import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDurationNs } from '@bulkhead/service-kit'
import { eventually } from '@bulkhead/testing'
import request from 'supertest'
import { rawAnswer, startService, startTcp } from './testing/chain.js'

test('/health is OK as text, with the configured code; the probes of ours stand beside it', async (t) => {
  const { service } = await startService(t, { HEALTH_CHECK_RESPONSE_CODE: '418' })
  const health = await request(service.server).get('/health')
  assert.deepEqual(
    [health.status, health.headers['content-type'], health.text],
    [418, 'text/plain; charset=utf-8', 'OK'],
  )
  assert.equal((await request(service.server).post('/health')).text, 'OK')
  assert.equal((await request(service.server).get('/livez')).status, 200)
  assert.equal((await request(service.server).get('/readyz')).status, 200)
  await request(service.server).get('/somewhere')
  assert.match(
    (await request(service.server).get('/metrics')).text,
    /_count\{method="GET",route="\/\*",status="200"\} 1/,
  )
})

test('asked for, /ready follows the delay, and so do /readyz and the gate', async (t) => {
  const { service, url } = await startService(t, {
    READY_CHECK_RESPONSE_DELAY: '1s',
    READY_CHECK_RESPONSE_FAILURE_CODE: '599',
    READY_CHECK_RESPONSE_SUCCESS_CODE: '202',
    READY_CHECK_ROOT_PATH_WAIT_TILL_READY: 'true',
  })
  const get = (path: string) => request(service.server).get(path)
  const early = await get('/ready')
  assert.deepEqual([early.status, early.text], [599, 'Starting Process'])
  assert.equal((await get('/readyz')).status, 503)
  const closed = await fetch(url)
  assert.deepEqual([closed.status, await closed.text()], [503, ''])
  const late = await eventually('ready', async () => {
    const response = await get('/ready')
    return response.status === 202 && response
  })
  assert.equal(late.text, 'OK')
  assert.equal((await get('/')).status, 200)
  await eventually('/readyz', async () => (await get('/readyz')).status === 200)
})

test('injected errors have their code, their text and nothing of a success', async (t) => {
  const { service } = await startService(t, { ERROR_RATE: '0.5', ERROR_CODE: '418' })
  const answers = [await request(service.server).get('/'), await request(service.server).get('/')]
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 418],
  )
  const body = JSON.parse(answers[1]?.text ?? '') as Record<string, unknown>
  assert.deepEqual(
    Object.keys(body).filter((key) => key !== 'ip_addresses'),
    ['name', 'uri', 'type', 'code', 'error'],
  )
  assert.deepEqual([body.code, body.error], [418, 'Service error automatically injected'])
  assert.equal((await request(service.server).get('/livez')).status, 200, 'probes are exempt')
})

test('an injected delay waits, and then fails', async (t) => {
  const { service } = await startService(t, { ERROR_RATE: '1', ERROR_TYPE: 'delay', ERROR_DELAY: '60ms' })
  const from = performance.now()
  const { status, text } = await request(service.server).get('/')
  assert.ok(performance.now() - from >= 60)
  assert.equal(status, 500)
  assert.match(text, /"error": "Service delay automatically injected"/)
})

test('above the rate limit requests get its code', async (t) => {
  const { service } = await startService(t, { RATE_LIMIT: '1', RATE_LIMIT_CODE: '429' })
  assert.equal((await request(service.server).get('/')).status, 200)
  const limited = await request(service.server).get('/')
  assert.equal(limited.status, 429)
  assert.match(limited.text, /"error": "Service exceeded rate limit"/)
})

test('timing: a success takes as long as it is told to, upstream time included; a failure does not wait', async (t) => {
  const slow = await startService(t, { TIMING_50_PERCENTILE: '900ms' })
  const front = await startService(t, { TIMING_50_PERCENTILE: '1s', UPSTREAM_URIS: slow.url })
  const asked = performance.now()
  const { text } = await request(front.service.server).get('/')
  const took = performance.now() - asked
  const { duration, upstream_calls: calls } = JSON.parse(text) as {
    duration: string
    upstream_calls: Readonly<Record<string, { readonly duration: string }>>
  }
  const ms = parseDurationNs(duration) / 1e6
  // Node's timers may be early by less than a millisecond.
  assert.ok(ms > 999 && ms <= took, `${ms} ms of ${took}`)
  // Added to the upstream's own, the second would be over it; a busy machine makes both longer.
  const [upstream = Number.NaN] = Object.values(calls).map((call) => parseDurationNs(call.duration) / 1e6)
  assert.ok(upstream > 899 && ms - upstream < 1_000, `${ms} ms, of which the upstream's ${upstream} are a part`)
  const denying = await startTcp(t, (socket) => socket.destroy())
  const failing = await startService(t, { TIMING_50_PERCENTILE: '30s', UPSTREAM_URIS: denying.url })
  const from = performance.now()
  assert.equal((await request(failing.service.server).get('/')).status, 500)
  assert.ok(performance.now() - from < 15_000)
})

test('several upstreams: in order with one worker, which stops at the first failure', async (t) => {
  const first = await startService(t, { NAME: 'first', TIMING_50_PERCENTILE: '300ms' })
  const second = await startService(t, { NAME: 'second' })
  const denying = await startTcp(t, (socket) => socket.destroy())
  const names = async (env: Record<string, string>): Promise<unknown[]> => {
    const { service } = await startService(t, env)
    const { upstream_calls } = JSON.parse((await request(service.server).get('/')).text) as {
      upstream_calls: { name?: string; code: number }[]
    }
    return upstream_calls.map(({ name, code }) => name ?? code)
  }
  const both = `${first.url}, ${second.url},`
  assert.deepEqual(await names({ UPSTREAM_URIS: both }), ['first', 'second'])
  assert.deepEqual(
    await names({ UPSTREAM_URIS: both, UPSTREAM_WORKERS: '2' }),
    ['second', 'first'],
    'in the order of their answers',
  )
  assert.deepEqual(await names({ UPSTREAM_URIS: `${second.url},${denying.url},${first.url}` }), ['second', -1])
})

test('APPEND_REQUEST passes on path and query; off, neither, nor any header of the caller', async (t) => {
  const seen: string[] = []
  const upstream = await startTcp(t, (socket) =>
    socket.once('data', (data) => {
      seen.push(data.toString())
      socket.end(rawAnswer('404 Not Found', ''))
    }),
  )
  const on = await startService(t, { UPSTREAM_URIS: `${upstream.url}/base?k=v` })
  const answer = await request(on.service.server).get('/a/b?x=1').set('x-b3-traceid', 'abc')
  assert.match(seen[0] ?? '', /^GET \/base\/a\/b\?k=v&x=1 HTTP\/1\.1\r\n/)
  assert.match(seen[0] ?? '', /\r\nx-b3-traceid: abc\r\n/)
  assert.match(
    answer.text,
    new RegExp(`"error": "Error processing upstream request: ${upstream.url}/base/a/b\\?k=v\\\\u0026x=1"`),
  )
  const off = await startService(t, { UPSTREAM_URIS: upstream.url, HTTP_CLIENT_APPEND_REQUEST: 'false' })
  const bare = await request(off.service.server).get('/a/b?x=1').set('x-b3-traceid', 'abc')
  assert.match(seen[1] ?? '', /^GET \/ HTTP\/1\.1\r\n/)
  assert.doesNotMatch(seen[1] ?? '', /x-b3/)
  assert.match(bare.text, new RegExp(`"error": "Error processing upstream request: ${upstream.url}"`))
})

test('LOG_LEVEL holds', async (t) => {
  const quiet = await startService(t, { LOG_LEVEL: 'error' })
  await request(quiet.service.server).get('/')
  assert.equal(quiet.lines.length, 0)
  const loud = await startService(t)
  await request(loud.service.server).get('/')
  assert.ok(loud.lines.some(({ msg }) => msg === 'request'))
})
