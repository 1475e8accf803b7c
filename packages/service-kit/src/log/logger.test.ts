import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog, type LogFormat } from './logger.js'

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

test('the level holds', () => {
  const lines: string[] = []
  const { log, access } = createLog({ name: 'demo', level: 'warn', write: (line) => lines.push(line) })
  log.info('no')
  access.info('no')
  log.warn('yes')
  assert.equal(lines.length, 1)
})
