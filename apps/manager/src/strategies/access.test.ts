import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusedWith, scenes, scheduling, selecting } from '../testing/scheduling.js'

const id = 'f'.repeat(24)

/** Every route about scheduling, with a request that is well formed. */
const routes = [
  ['post', '/api/v1/strategies', 'schedule_strategy.create', selecting('web')],
  ['put', '/api/v1/strategies', 'schedule_strategy.update', { strategyId: id, ...selecting('web') }],
  ['get', '/api/v1/strategies/self', 'schedule_strategy.read', undefined],
  ['get', `/api/v1/strategies/${id}`, 'schedule_strategy.read', undefined],
  ['delete', '/api/v1/strategies', 'schedule_strategy.delete', { strategyId: id }],
  ['delete', `/api/v1/strategies/${id}`, 'schedule_strategy.delete', undefined],
  ['get', '/api/v1/intents/self', 'schedule_intent.read', undefined],
  ['delete', '/api/v1/intents', 'schedule_intent.delete', { intentIds: [id] }],
  ['delete', `/api/v1/intents/${id}`, 'schedule_intent.delete', undefined],
  ['get', '/api/v1/nodes', 'pod_pid_mapping.read', undefined],
  ['get', '/api/v1/nodes/node-1/pods/pids', 'pod_pid_mapping.read', undefined],
] as const

test(
  'who may (contract 1.3, and the permissions of 1.6)',
  scenes({
    'without a token, with what is none, and with a bad one: 401 with the contract’s words': async ({
      agent,
      stored,
    }) => {
      for (const [method, path, , body] of routes) {
        refusedWith(await agent[method](path).send(body), 401, 'AUTHORIZATION_MISSING', 'Missing Authorization header')
        const none = await agent[method](path).set('authorization', 'bearer x').send(body)
        refusedWith(none, 401, 'AUTHORIZATION_MALFORMED', 'Invalid Authorization header format')
        refusedWith(await agent[method](path).set('authorization', 'Bearer x.y.z').send(body), 401, 'TOKEN_INVALID')
      }
      assert.deepEqual(await stored(), { strategies: [], pods: [] })
    },

    'each route needs its own permission: with all others 403, with it alone not': async ({ planner, stored }) => {
      for (const key of new Set(scheduling)) {
        const without = await planner({ policies: scheduling.filter((each) => each !== key) })
        const alone = await planner({ policies: [key] })
        for (const [method, path, needed, body] of routes) {
          if (needed !== key) continue
          refusedWith(await without[method](path).send(body), 403, 'PERMISSION_DENIED', 'permission denied')
          const { status } = await alone[method](path).send(body)
          assert.ok(status !== 401 && status !== 403 && status !== 500, `${method} ${path}: ${status}`)
        }
      }
      assert.equal((await stored()).strategies.length, 1, 'the one that was allowed')
    },

    'whoever has to change his password does that first: 403': async ({ planner }) => {
      const ann = await planner({ status: 3 })
      for (const [method, path, , body] of routes) {
        refusedWith(await ann[method](path).send(body), 403, 'PASSWORD_CHANGE_REQUIRED', 'password change required')
      }
    },
  }),
)
