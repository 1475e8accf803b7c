import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { monotonic, timestamp } from './clock.js'

test('a timestamp has six digits of the second, and is now', () => {
  const before = Date.now()
  const text = timestamp(monotonic())
  const after = Date.now()
  assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/)
  const time = new Date(text.slice(0, 23)).getTime() // without a zone: local time
  assert.ok(time >= before - 5 && time <= after + 5, `${text} against ${new Date(before).toISOString()}`)
})

test('digits are cut off, not rounded, and the second turns over', () => {
  const now = monotonic()
  const base = timestamp(now)
  assert.equal(timestamp(now + 0.0001).slice(0, 20), base.slice(0, 20))
  const whole = Number(base.slice(17, 19))
  assert.equal(Number(timestamp(now + 1000).slice(17, 19)), (whole + 1) % 60)
  assert.equal(timestamp(now), base, 'and back again')
})

test('it is local time', () => {
  const script = `import { timestamp, monotonic } from ${JSON.stringify(new URL('./clock.js', import.meta.url).href)}; console.log(timestamp(monotonic()).slice(0, 13))`
  const hourIn = (TZ: string): string =>
    execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, TZ },
      encoding: 'utf8',
    }).trim()
  const [east, west] = [hourIn('Asia/Tokyo'), hourIn('America/Phoenix')].map((hour) =>
    Date.parse(`${hour}:00:00Z`),
  ) as [number, number]
  assert.equal((east - west) / 3_600_000, 16)
})
