import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scenes, selecting } from '../testing/scheduling.js'

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
