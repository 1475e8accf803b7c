import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyText } from '@bulkhead/testing/text'
import fc from 'fast-check'
import { createLog, type LogFormat } from './logger.js'
import type { RequestRecord } from './request-line.js'

function capture(format: LogFormat): { lines: string[]; kit: ReturnType<typeof createLog> } {
  const lines: string[] = []
  return { lines, kit: createLog({ name: 'demo', format, write: (line) => lines.push(line) }) }
}

test('secrets are redacted by name, at the top and one level down', () => {
  const { lines, kit } = capture('json')
  kit.log.info(
    {
      password: 'hunter2',
      user: 'ada',
      headers: { authorization: 'Bearer hunter2', cookie: 'a=hunter2', 'set-cookie': 'hunter2', accept: '*/*' },
    },
    'hello',
  )
  assert.equal(lines.length, 1)
  assert.doesNotMatch(lines[0] ?? '', /hunter2/)
  const record = JSON.parse(lines[0] ?? '') as {
    msg: string
    user: string
    service: string
    headers: Record<string, string>
  }
  assert.equal(record.msg, 'hello')
  assert.equal(record.service, 'demo')
  assert.equal(record.user, 'ada')
  assert.equal(record.headers.accept, '*/*')
  assert.equal(record.headers.authorization, '[redacted]')
})

test('text is one line per record, whatever a caller sent', () => {
  const { lines, kit } = capture('text')
  kit.log.warn({ path: '/a\nINFO forged line', status: 200 }, 'request')
  assert.match(lines[0] ?? '', /^\d{4}-\d\d-\d\dT[\d:.]+Z WARN {2}request path="\/a\\nINFO forged line" status=200\n$/)
  assert.equal((lines[0] ?? '').trimEnd().includes('\n'), false)
  kit.log.error(new Error('boom'))
  assert.match(lines[1] ?? '', /err="boom"\n {4}Error: boom\n {4} {4}at /)
})

const RECORD: RequestRecord = {
  level: 'info',
  remote: '10.0.0.1',
  method: 'GET',
  path: '/',
  status: 200,
  ms: 1.25,
  bytes: 300,
  requestId: 'id-1',
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  aborted: false,
  code: undefined,
}

test('text has nothing that a terminal would obey, in a stack either', () => {
  const lines: string[] = []
  const { log } = createLog({ name: 'x', format: 'text', write: (line) => lines.push(line) })
  log.warn({ err: new Error('it said \u001b[2Jx\r\u009b1m\u007f\n2026 INFO  well') }, 'no \u009b')
  const [line = ''] = lines
  assert.doesNotMatch(line, /(?!\n)\p{Cc}/u)
  assert.match(line, / {4}Error: it said \\u001b\[2Jx\\u000d *\\u009b1m\\u007f\n/)
  // What comes behind a line's end is the stack's, and indented.
  for (const more of line.trimEnd().split('\n').slice(1)) assert.match(more, /^ {4}/)
})

test('the line per request is what pino would have written', () => {
  fc.assert(
    fc.property(
      anyText(),
      fc.boolean(),
      fc.option(fc.constant('NOT_FOUND'), { nil: undefined }),
      (path, aborted, code) => {
        const { lines, kit } = capture('json')
        const { level: _level, aborted: _aborted, code: _code, ...fields } = { ...RECORD, path }
        kit.log.info({ ...fields, ...(aborted ? { aborted } : {}), ...(code === undefined ? {} : { code }) }, 'request')
        kit.request({ ...RECORD, path, aborted, code })
        const [byPino, byHand] = lines.map((line) => ({ ...(JSON.parse(line) as object), time: '' }))
        assert.deepEqual(byHand, byPino)
        assert.equal(lines[1]?.indexOf('\n'), (lines[1]?.length ?? 0) - 1)
      },
    ),
  )
})

test('as text the line per request stays one line', () => {
  const { lines, kit } = capture('text')
  kit.request({ ...RECORD, path: '/a"\n', aborted: true, code: 'X' })
  assert.match(
    lines[0] ?? '',
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO {2}request remote=10\.0\.0\.1 method=GET path="\/a\\"\\n" status=200 ms=1\.25 bytes=300 .* aborted=true code=X\n$/,
  )
})

test('the level holds', () => {
  const lines: string[] = []
  const { log, request } = createLog({ name: 'demo', level: 'warn', write: (line) => lines.push(line) })
  log.info('no')
  request(RECORD)
  log.warn('yes')
  request({ ...RECORD, level: 'warn' })
  assert.equal(lines.length, 2)
})
