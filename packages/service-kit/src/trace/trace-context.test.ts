import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { randomHex } from './random-ids.js'
import { formatTraceparent, outgoingTraceHeaders, parseTraceparent, traceOf } from './trace-context.js'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

test('a valid traceparent goes on: same trace, the caller as parent, our own span', () => {
  const context = traceOf(`00-${TRACE}-${SPAN}-01`, 'vendor=1')
  assert.equal(context.traceId, TRACE)
  assert.equal(context.parentSpanId, SPAN)
  assert.notEqual(context.spanId, SPAN)
  assert.deepEqual(outgoingTraceHeaders(context), {
    traceparent: `00-${TRACE}-${context.spanId}-01`,
    tracestate: 'vendor=1',
  })
})

test('a later version is read as far as it is known', () => {
  assert.deepEqual(parseTraceparent(`cc-${TRACE}-${SPAN}-03-what-comes`), {
    traceId: TRACE,
    parentId: SPAN,
    sampled: true,
  })
})

test('an invalid traceparent starts a new trace, and its tracestate is dropped', () => {
  const invalid = [
    undefined,
    '',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-1`,
    ` 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01\n`,
  ]
  for (const header of invalid) {
    assert.equal(parseTraceparent(header), undefined, JSON.stringify(header))
    const context = traceOf(header, 'vendor=1')
    assert.notEqual(context.traceId, TRACE)
    assert.equal(context.parentSpanId, undefined)
    assert.deepEqual(outgoingTraceHeaders(context), { traceparent: formatTraceparent(context) })
  }
})

test('an over-long tracestate is dropped whole', () => {
  assert.equal(traceOf(`00-${TRACE}-${SPAN}-01`, `a=${'x'.repeat(2000)}`).tracestate, undefined)
})

test('what we write we read, and ids do not repeat', () => {
  fc.assert(
    fc.property(fc.boolean(), (sampled) => {
      const [traceId, spanId] = [randomHex(16), randomHex(8)]
      assert.deepEqual(parseTraceparent(formatTraceparent({ traceId, spanId, sampled })), {
        traceId,
        parentId: spanId,
        sampled,
      })
    }),
  )
  assert.equal(new Set(Array.from({ length: 5000 }, () => randomHex(8))).size, 5000)
})
