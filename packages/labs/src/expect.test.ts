import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareOutput } from './expect.js'

const holds = (page: string, actual: string) => compareOutput(page.split('\n'), actual) === undefined

test('what is written is taken as it is, but for blanks at the ends of lines', () => {
  for (const text of ['a.b [c] (d) ^e$ f|g', '{"x": -1, "y": "a-b/c"}', 'Get "http://x/": 100 % \\u003e', '']) {
    assert.ok(holds(text, `${text}  \n`), text)
    assert.ok(!holds(text, `${text}x\n`), text)
  }
  assert.ok(!holds('a.b', 'axb'))
  assert.ok(!holds('one', 'one\ntwo'), 'a line more')
  assert.ok(!holds('one\ntwo', 'one'), 'a line less')
})

test('<time>, <number>, <text> and <a|b> stand for what changes', () => {
  for (const [page, fits, not] of [
    ['at <time> ok', 'at 2026-01-31T10:00:00.123Z ok', 'at noon ok'],
    ['"<time>"', '"12.345678ms"', '"fast"'],
    ['(<time>)', '(0.4 s)', '()'],
    ['took 1<time>', 'took 17.8µs', 'took 1'],
    ['<number> bytes', '1,034 bytes', 'no bytes'],
    ['from <text> to x', 'from 10.1.1.1:8 to x', 'from 10.1.1.1 to y'],
    ['exit <52|56>', 'exit 52', 'exit 5256'],
    ['<a.b|c>', 'c', 'axb'],
    ['<other>', '<other>', 'x'],
    [
      'curl: (56) Recv failure: Connection reset by peer',
      'curl: (52) Empty reply from server',
      'curl: (7) Failed to connect',
    ],
  ] as const) {
    assert.ok(holds(page, fits), `${page} should be ${fits}`)
    assert.ok(!holds(page, not), `${page} should not be ${not}`)
  }
})

test('... stands for any lines or none, and what comes after it must come', () => {
  assert.ok(holds('...', ''))
  assert.ok(holds('...', 'a\nb'))
  assert.ok(holds('a\n...\nc', 'a\nc'))
  assert.ok(holds('a\n...\nc', 'a\nc\nb\nc'), 'the last c')
  assert.ok(!holds('a\n...\nc', 'a\nb'))
  assert.ok(!holds('a\n...\nc', 'a\nc\nb'))
  assert.ok(holds('...\nb\n...', 'a\nb\nc'))
})

test('the first line that differs is told', () => {
  assert.deepEqual(compareOutput(['a', 'b', 'c'], 'a\nx\nc\n'), { line: 2, expected: 'b', actual: 'x' })
  assert.deepEqual(compareOutput(['a'], 'a\nb'), { line: 2, expected: '(no more lines)', actual: 'b' })
  assert.deepEqual(compareOutput(['a', 'b'], 'a'), { line: 2, expected: 'b', actual: '(no more lines)' })
})

test('any text without a mark is itself, and lines may be left out of it', () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[<>\n\r\u2028\u2029]|^curl/g, '').trimEnd())
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), fc.nat(), (lines, at) => {
      const clean = lines.filter((text) => text.trim() !== '...' && text !== '')
      if (clean.length === 0) return
      assert.equal(compareOutput(clean, clean.join('\n')), undefined)
      const left = clean.with(at % clean.length, '...')
      assert.equal(compareOutput(left, clean.join('\n')), undefined)
    }),
  )
})
