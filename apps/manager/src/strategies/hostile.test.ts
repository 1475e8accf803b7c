import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { loaded, odd } from '../testing/odd-values.js'
import { type Planner, scenes, selecting } from '../testing/scheduling.js'

const strategyField = fc.constantFrom(
  'strategyNamespace',
  'labelSelectors',
  'k8sNamespace',
  'commandRegex',
  'priority',
  'executionTime',
)

const RUNS = { numRuns: 100 }

/** Never a failure of ours; what is refused is refused in the contract’s envelope, with the field named where it is one. */
async function answered(
  sent: PromiseLike<{ status: number; text: string; body: unknown }>,
  field?: string,
): Promise<number> {
  const { status, text, body } = await sent
  assert.ok([200, 201, 400, 404, 413, 422].includes(status), text)
  if (status >= 400) {
    const {
      success,
      code,
      error,
      requestId,
      fields = [],
    } = body as {
      success: unknown
      code: unknown
      error: unknown
      requestId: unknown
      fields?: { field: string }[]
    }
    assert.deepEqual([success, typeof code, typeof error, typeof requestId], [false, 'string', 'string', 'string'])
    if (field !== undefined && (status === 422 || code === 'INVALID_BODY')) {
      assert.ok(
        fields.some((each) => each.field.startsWith(field)) ||
          (fields.length === 1 && fields[0]?.field === 'labelSelectors'),
        text,
      )
    }
  }
  return status
}

test(
  'bad input',
  scenes({
    'any value in any field of a new or a changed strategy: the contract’s 4xx, and nothing is stored': async ({
      planner,
      stored,
    }) => {
      const ann = await planner()
      const strategyId = await ann.plan(selecting('web'))
      let kept = await stored()
      await fc.assert(
        fc.asyncProperty(strategyField, odd, fc.boolean(), async (field, value, change) => {
          const body = { ...selecting('web'), [field]: value }
          const sent = change
            ? ann.put('/api/v1/strategies').send({ strategyId, ...body })
            : ann.post('/api/v1/strategies').send(body)
          const status = await answered(sent, field)
          if (status >= 400) assert.deepEqual(await stored(), kept)
          else kept = await stored()
        }),
        RUNS,
      )
    },

    'any value as an id, in a body, a path or a query: the contract’s 4xx, and nothing is gone': async ({
      planner,
      stored,
    }) => {
      const ann = await planner()
      await ann.plan(selecting('web'))
      const kept = await stored()
      const text = fc.oneof(
        loaded.filter((each) => each.length < 1_000 && !/[\ud800-\udfff]/.test(each)),
        fc.string(),
      )
      const ways: ((
        ann: Planner,
        value: unknown,
        text: string,
      ) => PromiseLike<{ status: number; text: string; body: unknown }>)[] = [
        (as, value) => as.put('/api/v1/strategies').send({ strategyId: value, ...selecting('web') }),
        (as, value) => as.delete('/api/v1/strategies').send({ strategyId: value }),
        (as, value) => as.delete('/api/v1/intents').send({ intentIds: value }),
        (as, value) => as.delete('/api/v1/intents').send({ intentIds: [value] }),
        (as, _, id) => as.delete(`/api/v1/strategies/x${encodeURIComponent(id)}`),
        (as, _, id) => as.delete(`/api/v1/intents/x${encodeURIComponent(id)}`),
        (as, _, id) => as.get(`/api/v1/strategies/x${encodeURIComponent(id)}`),
        (as, _, id) => as.get(`/api/v1/strategies/self?cursor=${encodeURIComponent(id)}`),
        (as, _, id) => as.get(`/api/v1/strategies/self?limit=${encodeURIComponent(id)}`),
        (as, _, id) => as.get(`/api/v1/intents/self?state=${encodeURIComponent(id)}`),
        (as, _, id) => as.get(`/api/v1/intents/self?nodeId=${encodeURIComponent(id)}`),
        (as, _, id) => as.get(`/api/v1/nodes?cursor=${encodeURIComponent(id)}`),
        (as, _, id) => as.get(`/api/v1/nodes/x${encodeURIComponent(id)}/pods/pids`),
      ]
      await fc.assert(
        fc.asyncProperty(fc.nat(ways.length - 1), odd, text, async (way, value, id) => {
          await answered((ways[way] as (typeof ways)[number])(ann, value, id))
          assert.deepEqual(await stored(), kept)
        }),
        RUNS,
      )
    },

    'a body of a megabyte, one that is nested deeply, and one in another encoding': async ({ planner, stored }) => {
      const ann = await planner()
      const post = (body: string) => ann.post('/api/v1/strategies').set('content-type', 'application/json').send(body)
      assert.equal(
        await answered(post(JSON.stringify({ ...selecting('web'), commandRegex: 'x'.repeat(1_000_000) }))),
        413,
      )
      assert.equal(await answered(post(`{"labelSelectors":${'['.repeat(20_000)}${']'.repeat(20_000)}}`)), 400)
      assert.equal(await answered(post(`${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`)), 422)
      assert.deepEqual(await stored(), { strategies: [], pods: [] })
    },
  }),
)

test(
  'the audit log (contract 1.14)',
  scenes({
    'what was done to strategies and intents, and what was refused, with its target': async ({ planner, db }) => {
      const [ann, bob] = [await planner(), await planner()]
      await db.collection('audit_logs').deleteMany({})
      const id = await ann.plan(selecting('web'))
      const { body } = await ann.get('/api/v1/intents/self')
      const [intent] = (body as { data: { intents: { id: string }[] } }).data.intents
      await ann.put('/api/v1/strategies').send({ strategyId: id, ...selecting('nobody') })
      await ann.put('/api/v1/strategies').send({ strategyId: id.toUpperCase(), ...selecting('web') })
      await bob.delete(`/api/v1/strategies/${id}`)
      await ann.delete(`/api/v1/intents/${intent?.id}`)
      await ann.delete('/api/v1/strategies').send({ strategyId: id })
      const noted = await db.collection('audit_logs').find().sort({ timestamp: 1, _id: 1 }).toArray()
      assert.deepEqual(
        noted.map(({ username, action, target, outcome, code }) => [username, action, target, outcome, code]),
        [
          [ann.user.username, 'strategy.create', `strategies/${id}`, 'ok', undefined],
          [ann.user.username, 'strategy.update', `strategies/${id}`, 'refused', 'NO_PODS_MATCH'],
          [ann.user.username, 'strategy.update', `strategies/${id}`, 'ok', undefined],
          [bob.user.username, 'strategy.delete', `strategies/${id}`, 'refused', 'STRATEGY_NOT_FOUND'],
          [ann.user.username, 'intent.delete', `intents/${intent?.id}`, 'refused', 'INTENTS_NOT_FOUND'],
          [ann.user.username, 'strategy.delete', `strategies/${id}`, 'ok', undefined],
        ],
      )
    },
  }),
)
