import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { cleanUp, wholeSuite } from '@bulkhead/testing'
import { Decimal128, type Document, Double, Long, ObjectId, serialize } from 'bson'
import fc from 'fast-check'
import { commands } from '../commands/table.js'
import type { LogEvent } from '../log.js'
import { messageOf, RawClient } from '../testing/raw.js'
import { startTestMongo, type TestMongo } from '../testing/start.js'

const isLong = process.env.BULKHEAD_LONG === '1'
const events: LogEvent[] = []
const suite = wholeSuite()
let running: TestMongo
let good: RawClient
before(async () => {
  running = await startTestMongo({ log: (event) => events.push(event) })
  cleanUp(suite, () => running.close())
  good = await RawClient.to(running.port)
  cleanUp(suite, () => good.end())
})

const wholesome: readonly Document[] = [
  { hello: 1 },
  { ping: 1 },
  { insert: 'c', documents: [{ _id: 1, a: 'x' }] },
  { find: 'c', filter: { a: { $in: [1, 'x'] } }, sort: { a: 1 } },
  { update: 'c', updates: [{ q: {}, u: { $set: { 'a.b': 1 } } }] },
  { aggregate: 'c', pipeline: [{ $group: { _id: '$a' } }], cursor: {} },
  { saslStart: 1, mechanism: 'SCRAM-SHA-256', payload: Buffer.from('n,,n=u,r=abc') },
]

/** Bytes of good messages, with mistakes in them. */
const broken = fc
  .record({
    body: fc.constantFrom(...wholesome),
    flips: fc.array(fc.record({ at: fc.nat(400), to: fc.nat(255) }), { maxLength: 6 }),
    length: fc.option(fc.oneof(fc.integer(), fc.nat(300)), { nil: undefined }),
    cut: fc.option(fc.nat(200), { nil: undefined }),
    behind: fc.uint8Array({ maxLength: 40 }),
  })
  .map(({ body, flips, length, cut, behind }) => {
    const bytes = messageOf({ ...body, $db: 'test' })
    for (const { at, to } of flips) bytes[at % bytes.length] = to
    if (length !== undefined) bytes.writeInt32LE(length, 0)
    return Buffer.concat([cut === undefined ? bytes : bytes.subarray(0, cut), behind])
  })

test('broken bytes: the server answers or ends the connection, and serves others as before', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(broken, fc.uint8Array({ maxLength: 200 })), async (bytes) => {
      const client = await RawClient.to(running.port)
      client.send(bytes)
      // An end of the stream in a message's middle is one more of the things that happen.
      await client.end()
      assert.equal((await good.ask({ ping: 1 })).ok.value, 1)
    }),
    { numRuns: isLong ? 20_000 : 250 },
  )
})

const leaf = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    1,
    -1,
    2 ** 40,
    1.5,
    Number.NaN,
    '',
    'a',
    '$a',
    '$$ROOT',
    'c',
    'admin',
  ),
  fc.constantFrom<unknown>(Long.MAX_VALUE, new Double(1), Decimal128.fromString('1'), new ObjectId(), new Date(0), /a/),
)
const name = fc.constantFrom(
  ...['a', 'a.b', 'a.0', '_id', '', '$', '$set', '$inc', '$push', '$each', '$gt', '$in', '$not', '$and', '$expr'],
  ...['$elemMatch', '$regex', '$type', '$add', '$cond', '$match', '$group', '$project', '$unwind', '$lookup', '$sort'],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'valueOf',
    '_bsontype',
    '__isLong__',
    'q',
    'u',
    'limit',
    'key',
    'name',
    'id',
    'pipeline',
    'from',
    'as',
    'path',
  ],
)
/** Object.fromEntries makes a field of `__proto__` too. */
const documentOf = (entries: [string, unknown][]): Document => Object.fromEntries(entries)

const value: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 3 }).map(documentOf),
  ),
})).value

const command = fc.constantFrom(...commands.filter((each) => each.name !== 'replSetInitiate')).chain((each) =>
  fc.record({
    first: fc.tuple(
      fc.constant(each.name),
      each.collection === true ? fc.constantFrom<unknown>('c', 'd', 5, '') : value,
    ),
    rest: fc.array(fc.tuple(fc.constantFrom(...Object.keys(each.fields), 'lsid', 'txnNumber', 'maxTimeMS'), value), {
      maxLength: 5,
    }),
  }),
)

test('commands with anything in their fields: a failure has a code of its own, and none is unexpected', async () => {
  await good.ask({
    insert: 'c',
    documents: [
      { _id: 1, a: [{ b: 1 }, 'x'] },
      { _id: 2, a: { b: 'y' } },
    ],
  })
  let client = await RawClient.to(running.port)
  await fc.assert(
    fc.asyncProperty(command, async ({ first, rest }) => {
      const body = documentOf([first, ...rest])
      let bytes: Buffer
      try {
        serialize(body)
        bytes = messageOf({ ...body, $db: 'test' })
      } catch {
        return
      }
      client.send(bytes)
      const answer = await client.answer()
      if (answer === undefined) {
        client = await RawClient.to(running.port)
        return
      }
      assert.notEqual(answer.code?.value, 1, `an unexpected failure: ${JSON.stringify(events.at(-1))}`)
      assert.equal((await good.ask({ ping: 1 })).ok.value, 1)
    }),
    { numRuns: isLong ? 100_000 : 1_000 },
  )
  await client.end()
  const connections = await new Promise<number>((resolve, reject) => {
    running.mongo.server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
  })
  assert.equal(connections, 1, 'connections of clients that have gone are still open')
  assert.deepEqual(
    events.filter(({ level }) => level === 'error'),
    [],
  )
})
