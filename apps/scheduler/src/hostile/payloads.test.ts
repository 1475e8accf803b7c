import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_INTENTS, merkleRoot } from '@bulkhead/intents'
import { anyText } from '@bulkhead/testing/text'
import fc from 'fast-check'
import { intent, startScheduler, type TestScheduler } from '../testing/scheduler.js'

/*
 * Payloads that nobody who means well sends, from who may send: a 4xx in the envelope, and what was in force stays. BULKHEAD_LONG=1 has
 * more of them; BULKHEAD_SEED repeats a run.
 */

const LONG = process.env.BULKHEAD_LONG === '1'
const seed = process.env.BULKHEAD_SEED
const options = { numRuns: LONG ? 10_000 : 200, ...(seed === undefined ? {} : { seed: Number(seed) }) }

const targets = [
  ['put', '/api/v1/intents', 'manager'],
  ['delete', '/api/v1/intents', 'manager'],
  ['post', '/api/v1/metrics', 'sched-ext'],
  ['post', '/api/v1/auth/token', 'anybody'],
] as const

async function build(scheduler: TestScheduler) {
  const bearer = { manager: await scheduler.asManager(), 'sched-ext': await scheduler.asSchedExt(), anybody: '' }
  await scheduler.put(1, [intent()])
  const send = ([method, path, caller]: (typeof targets)[number], body: string | Buffer) =>
    scheduler.agent[method](path)
      .set('authorization', bearer[caller])
      .set('content-type', 'application/json')
      .send(body)
  const root = async (): Promise<string> =>
    (await scheduler.agent.get('/api/v1/intents/merkle').set('authorization', bearer.manager)).body.data.rootHash
  return { send, root }
}

const whole = JSON.stringify(intent())
const deep = (open: string, close: string, times: number): string => open.repeat(times) + close.repeat(times)
const hostile: readonly (readonly [string, string | Buffer])[] = [
  ['no JSON', '{'],
  ['JSON and more', '{} {}'],
  ['a number', '7'],
  ['null', 'null'],
  ['a list', '[]'],
  ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
  ['a byte order mark in the middle', '{"version":\ufeff1}'],
  ['lists, ten thousand deep', deep('[', ']', 8_000)],
  ['objects, two thousand deep', `${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`],
  ['a prototype', '{"__proto__":{"version":2,"intents":[],"all":true,"nr_queued":1}}'],
  ['a constructor', '{"constructor":{"prototype":{"all":true}},"version":2}'],
  ['two of one name', '{"version":1,"version":"2","intents":[]}'],
  ['a version that is none', '{"version":1e400,"intents":[]}'],
  ['a version beyond 2^53', '{"version":9007199254740993,"intents":[]}'],
  ['a negative version', '{"version":-1,"intents":[]}'],
  ['an intent that is none', '{"version":2,"intents":[null]}'],
  ['intents that are none', '{"version":2,"intents":{"length":1}}'],
  ['an intent with a prototype', '{"version":2,"intents":[{"__proto__":{}}]}'],
  ['half a character', `{"version":2,"intents":[${whole.replace('"commandRegex":""', '"commandRegex":"\\ud83d"')}]}`],
  ['a priority as text', `{"version":2,"intents":[${whole.replace('"priority":5', '"priority":"5"')}]}`],
  ['a huge number', `{"version":2,"intents":[${whole.replace('"priority":5', `"priority":${'9'.repeat(5_000)}`)}]}`],
  ['a label as a number', `{"version":2,"intents":[${whole.replace('"podLabels":{}', '"podLabels":{"a":1}')}]}`],
  ['labels as a list', `{"version":2,"intents":[${whole.replace('"podLabels":{}', '"podLabels":["a"]')}]}`],
  [
    'an expression that goes back',
    `{"version":2,"intents":[${whole.replace('"commandRegex":""', '"commandRegex":"(a)\\\\1"')}]}`,
  ],
  [
    'an expression that grows',
    `{"version":2,"intents":[${whole.replace('"commandRegex":""', '"commandRegex":"((a{100}){100}){100}"')}]}`,
  ],
]

test('payloads that have a name: a 4xx each, and nothing of it is in force', async (t) => {
  const { send, root } = await build(startScheduler(t))
  for (const target of targets)
    for (const [what, body] of hostile) {
      const { status, body: said } = await send(target, body)
      assert.ok(status >= 400 && status < 500, `${target[0]} ${target[1]}, ${what}: ${status}`)
      assert.deepEqual([said.success, typeof said.code], [false, 'string'])
    }
  assert.equal(await root(), merkleRoot([intent()]))
})

test('a set of four megabytes that is wrong everywhere is refused at the cost of reading it', async (t) => {
  const { send, root } = await build(startScheduler(t))
  const put = targets[0]
  for (const [what, body] of [
    ['numbers', `{"version":2,"intents":[${'1,'.repeat(2_000_000)}1]}`],
    ['empty intents', `{"version":2,"intents":[${'{},'.repeat(MAX_INTENTS - 1)}{}]}`],
    [
      'labels',
      `{"version":2,"intents":[{"podLabels":{${Array.from({ length: 300_000 }, (_, at) => `"l${at}":1`).join(',')}}}]}`,
    ],
    ['lists, millions deep', `{"version":2,"intents":${deep('[', ']', 2_000_000)}}`],
    ['other names', `{${Array.from({ length: 300_000 }, (_, at) => `"l${at}":1`).join(',')}}`],
  ] as const) {
    const { status, body: said } = await send(put, body)
    assert.ok(status === 400 || status === 422, `${what}: ${status}`)
    assert.ok(said.fields === undefined || said.fields.length <= 20)
    assert.ok(JSON.stringify(said).length < 20_000)
  }
  assert.equal(await root(), merkleRoot([intent()]))
})

test('whatever JSON there is: no failure of ours, and nothing in force of what is refused', async (t) => {
  const { send, root } = await build(startScheduler(t))
  const known = fc.constantFrom(
    'version',
    'intents',
    'all',
    'podId',
    'pid',
    'client_assertion',
    'public_key',
    'nr_queued',
    '__proto__',
  )
  const body = fc.oneof(
    fc.json(),
    fc.dictionary(known, fc.jsonValue()).map((value) => JSON.stringify(value)),
    fc
      .tuple(fc.constantFrom(...Object.keys(intent())), fc.jsonValue())
      .map(([field, value]) =>
        JSON.stringify({ version: 2, intents: [{ ...intent({ nodeID: 'node-2' }), [field]: value }] }),
      ),
    anyText(),
  )
  let inForce = await root()
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...targets), body, async (target, text) => {
      const { status } = await send(target, text)
      assert.ok(status < 500, `${status}`)
      // By chance one is right: `{"all":true}` deletes what there is.
      if (status < 400) inForce = await root()
      else assert.equal(await root(), inForce)
    }),
    options,
  )
})
