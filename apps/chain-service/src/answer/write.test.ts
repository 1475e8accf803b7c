import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Answer, emptyAnswer } from './answer.js'
import { MAX_DEPTH, MAX_ENTRIES, readAnswer } from './read.js'
import { quote, writeAnswer } from './write.js'

test('empty values are left out, code never is, and the order is fixed', () => {
  assert.equal(writeAnswer(emptyAnswer()), '{\n  "code": 0\n}\n')
  const full: Answer = {
    name: 'n',
    uri: '/',
    type: 'HTTP',
    ipAddresses: ['10.0.0.1', '10.0.0.2'],
    startTime: 's',
    endTime: 'e',
    duration: '1ms',
    body: 'b',
    upstreamCalls: [{ ...emptyAnswer(), uri: 'u', code: -1 }],
    code: 200,
    error: 'x',
  }
  assert.equal(
    writeAnswer(full),
    [
      '{',
      '  "name": "n",',
      '  "uri": "/",',
      '  "type": "HTTP",',
      '  "ip_addresses": [',
      '    "10.0.0.1",',
      '    "10.0.0.2"',
      '  ],',
      '  "start_time": "s",',
      '  "end_time": "e",',
      '  "duration": "1ms",',
      '  "body": "b",',
      '  "upstream_calls": [',
      '    {',
      '      "uri": "u",',
      '      "code": -1',
      '    }',
      '  ],',
      '  "code": 200,',
      '  "error": "x"',
      '}',
      '',
    ].join('\n'),
  )
})

test('strings are escaped as Go escapes them', () => {
  const rows: readonly [string, string][] = [
    ['plain µ ü 😀', '"plain µ ü 😀"'],
    ['<>&', '"\\u003c\\u003e\\u0026"'],
    ['"\\/', '"\\"\\\\/"'],
    ['\n\r\t\b\f\u0000\u001f\u007f', '"\\n\\r\\t\\u0008\\u000c\\u0000\\u001f\u007f"'],
    ['\u2027\u2028\u2029\u202a', '"\u2027\\u2028\\u2029\u202a"'],
    ['a\ud800b', '"a\\ufffdb"'],
    ['\udc00\ud83d\ude00', '"\\ufffd\ud83d\ude00"'],
  ]
  for (const [text, written] of rows) assert.equal(quote(text), written)
})

const answers: fc.Arbitrary<Answer> = fc.letrec<{ answer: Answer }>((tie) => ({
  answer: fc.record(
    {
      name: fc.string(),
      uri: fc.string(),
      type: fc.string(),
      ipAddresses: fc.array(fc.string(), { maxLength: 2 }),
      startTime: fc.string(),
      endTime: fc.string(),
      duration: fc.string(),
      body: fc.string({ unit: 'grapheme' }),
      upstreamCalls: fc.oneof({ maxDepth: 3 }, fc.constant<Answer[]>([]), fc.array(tie('answer'), { maxLength: 2 })),
      code: fc.integer(),
      error: fc.string(),
    },
    { noNullPrototype: true },
  ),
})).answer

test('whatever is written is JSON in the two-space form, and is read as it was', () => {
  fc.assert(
    fc.property(answers, (answer) => {
      const text = writeAnswer(answer)
      assert.deepEqual(readAnswer(text), answer)
      // The layout is JSON.stringify's own; only the escapes differ, so they are compared with strings taken away.
      const layout = (json: string): string => json.replace(/"(?:[^"\\]|\\.)*"/g, '""')
      assert.equal(layout(text), layout(`${JSON.stringify(JSON.parse(text), null, 2)}\n`))
    }),
    { numRuns: 200 },
  )
})

test('a megabyte of nothing is not written out as hundreds', () => {
  const deep = (inner: string): string => ['{"upstream_calls":['.repeat(60), inner, ']}'.repeat(60)].join('')
  const times = (count: number, entry: string): string => Array(count).fill(entry).join(',')
  const ips = (count: number): string => `{"ip_addresses":[${times(count, '""')}]}`
  for (const kept of [times(MAX_ENTRIES - 59, '{}'), ips(MAX_ENTRIES - 60)]) {
    const answer = readAnswer(deep(kept))
    assert.ok(answer !== undefined && writeAnswer(answer).length < 2e6)
  }
  for (const dropped of [times(MAX_ENTRIES - 58, '{}'), ips(MAX_ENTRIES - 59)])
    assert.ok(readAnswer(deep(dropped)) === undefined)
})

test('what is not an answer is not read, however deep or odd', () => {
  for (const text of [
    '',
    '[]',
    '1',
    '"x"',
    '{"name":1}',
    '{"code":1.5}',
    '{"upstream_calls":{}}',
    '{"ip_addresses":[1]}',
    '{',
  ]) {
    assert.equal(readAnswer(text), undefined, text)
  }
  assert.deepEqual(readAnswer('null'), emptyAnswer())
  assert.deepEqual(readAnswer('{"name":null,"__proto__":{"name":"x"}}'), emptyAnswer())
  const nested = (depth: number): string => ['{"upstream_calls":['.repeat(depth), '{}', ']}'.repeat(depth)].join('')
  assert.notEqual(readAnswer(nested(MAX_DEPTH)), undefined)
  assert.equal(readAnswer(nested(MAX_DEPTH + 1)), undefined)
  assert.equal(readAnswer(nested(100_000)), undefined)
})
