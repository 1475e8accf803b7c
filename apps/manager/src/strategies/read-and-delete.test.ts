import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataOf, pod, refusedWith, scenes, scheduling, selecting } from '../testing/scheduling.js'

const path = '/api/v1/strategies'
const NOT_FOUND = "strategy not found or you don't have permission to delete it"

type Page = { readonly strategies: readonly { readonly id: string }[]; readonly nextCursor?: string }

test(
  'GET /api/v1/strategies',
  scenes({
    'contract 1.6, M27: one’s own only, and a list also when there is none': async ({ planner, as, admin }) => {
      const [ann, bob] = [await planner(), await planner()]
      assert.deepEqual(dataOf(await ann.get(`${path}/self`)), { strategies: [] })
      const id = await ann.plan(selecting('web'))
      await bob.plan(selecting('api'))
      const { strategies } = dataOf(await ann.get(`${path}/self`)) as Page
      assert.deepEqual(
        strategies.map((each) => each.id),
        [id],
      )
      assert.deepEqual(dataOf(await as(admin).get(`${path}/self`)), { strategies: [] })
    },

    'contract M27: in pages, each once and in the order in which they were made, also when more come meanwhile':
      async ({ planner }) => {
        const ann = await planner()
        const made: string[] = []
        for (let n = 0; n < 5; n++) made.push(await ann.plan(selecting('api')))
        const seen: string[] = []
        let cursor = ''
        for (let page = 0; page < 3; page++) {
          const { strategies, nextCursor = '' } = dataOf(await ann.get(`${path}/self?limit=2${cursor}`)) as Page
          seen.push(...strategies.map(({ id }) => id))
          cursor = nextCursor === '' ? '' : `&cursor=${nextCursor}`
          if (page === 0) made.push(await ann.plan(selecting('api')))
        }
        assert.deepEqual(seen, made)
        assert.equal(cursor, '', 'the last page says that it is the last')
        const whole = dataOf(await ann.get(`${path}/self?limit=6`)) as Page
        assert.equal(whole.nextCursor, undefined)
        for (const [query, field] of [
          ['limit=0', 'limit'],
          ['limit=201', 'limit'],
          ['limit=many', 'limit'],
          ['limit=1.5', 'limit'],
          ['cursor=x', 'cursor'],
          ['cursor[$gt]=', 'cursor'],
          [`strategyNamespace=${'x'.repeat(64)}`, 'strategyNamespace'],
        ] as const) {
          const response = await ann.get(`${path}/self?${query}`)
          // Express reads cursor[$gt] as a parameter of that very name, which is unknown.
          if (response.status === 200) assert.equal(query, 'cursor[$gt]=')
          else assert.deepEqual(refusedWith(response, 422, 'VALIDATION_FAILED'), [field])
        }
      },

    'by default 50 are answered': async ({ planner, db }) => {
      const ann = await planner()
      await ann.plan(selecting('api'))
      const one = await db.collection('schedule_strategies').findOne({}, { promoteValues: false })
      const { _id: _, ...rest } = one ?? {}
      await db.collection('schedule_strategies').insertMany(Array.from({ length: 50 }, () => ({ ...rest })))
      const { strategies, nextCursor } = dataOf(await ann.get(`${path}/self`)) as Page
      assert.equal(strategies.length, 50)
      assert.equal(nextCursor, strategies[49]?.id)
    },

    'by the namespace of the strategy and by one of the pods': async ({ planner }) => {
      const ann = await planner()
      const a = await ann.plan({ ...selecting('web'), strategyNamespace: 'a', k8sNamespace: ['shop', 'batch'] })
      const b = await ann.plan({ ...selecting('web'), strategyNamespace: 'b', k8sNamespace: ['shop'] })
      const ids = async (query: string) =>
        (dataOf(await ann.get(`${path}/self?${query}`)) as Page).strategies.map(({ id }) => id)
      assert.deepEqual(await ids('strategyNamespace=a'), [a])
      assert.deepEqual(await ids('k8sNamespace=batch'), [a])
      assert.deepEqual(await ids('k8sNamespace=shop'), [a, b])
      assert.deepEqual(await ids('k8sNamespace=shop&strategyNamespace=b'), [b])
      assert.deepEqual(await ids('k8sNamespace=none'), [])
    },

    'one alone, with its version; anybody else’s is not there': async ({ planner, as, admin }) => {
      const [ann, bob] = [await planner(), await planner()]
      const id = await ann.plan(selecting('web'))
      const response = await ann.get(`${path}/${id}`)
      assert.equal((dataOf(response) as { id: string }).id, id)
      assert.equal(response.headers.etag, '"1"')
      for (const other of [bob, as(admin)]) refusedWith(await other.get(`${path}/${id}`), 404, 'STRATEGY_NOT_FOUND')
      refusedWith(
        await ann.get(`${path}/${'f'.repeat(24)}`),
        404,
        'STRATEGY_NOT_FOUND',
        "strategy not found or you don't have permission to read it",
      )
      assert.deepEqual(refusedWith(await ann.get(`${path}/7`), 422, 'VALIDATION_FAILED'), ['id'])
    },

    'contract M12: what is outside of one’s policies’ namespaces is not seen, alone or in the list': async ({
      planner,
      cluster,
    }) => {
      cluster.setPod(pod('bank-1', 'web', 'node-3', 'bank'))
      const others = scheduling.filter((key) => key !== 'schedule_strategy.read')
      const permissionKey = 'schedule_strategy.read'
      const ann = await planner({
        policies: [
          ...others,
          { permissionKey, k8sNamespace: 'shop', policyNamespace: 'team' },
          { permissionKey, k8sNamespace: 'bank' },
        ],
      })
      const plan = (strategyNamespace: string, ...k8sNamespace: string[]) =>
        ann.plan({ ...selecting('web'), strategyNamespace, k8sNamespace })
      const seen = [await plan('team', 'shop'), await plan('team', 'shop', 'bank'), await plan('other', 'bank')]
      const hidden = [
        await plan('other', 'shop'),
        await plan('other', 'shop', 'bank'),
        await plan('team'),
        await plan('', 'shop'),
      ]
      const { strategies } = dataOf(await ann.get(`${path}/self`)) as Page
      assert.deepEqual(
        strategies.map(({ id }) => id),
        seen,
      )
      for (const id of seen) dataOf(await ann.get(`${path}/${id}`))
      for (const id of hidden) refusedWith(await ann.get(`${path}/${id}`), 404, 'STRATEGY_NOT_FOUND')
    },
  }),
)

test(
  'DELETE /api/v1/strategies',
  scenes({
    'contract 1.17.7: one send, and both lists are empty': async ({ planner, push, stored }) => {
      const ann = await planner()
      const strategyId = await ann.plan(selecting('api'))
      push.sets.length = 0
      assert.deepEqual(dataOf(await ann.delete(path).send({ strategyId })), {})
      assert.deepEqual(
        push.sets.map(({ node, intents }) => [node, intents.length]),
        [['node-2', 0]],
      )
      assert.deepEqual(dataOf(await ann.get(`${path}/self`)), { strategies: [] })
      assert.deepEqual(dataOf(await ann.get('/api/v1/intents/self')), { intents: [] })
      assert.deepEqual(await stored(), { strategies: [], pods: [] })
    },

    'contract M28: by the path, too, with the same answer': async ({ planner, stored }) => {
      const ann = await planner()
      const id = await ann.plan(selecting('web'))
      assert.deepEqual(dataOf(await ann.delete(`${path}/${id.toUpperCase()}`)), {})
      assert.deepEqual(await stored(), { strategies: [], pods: [] })
      refusedWith(await ann.delete(`${path}/${id}`), 404, 'STRATEGY_NOT_FOUND', NOT_FOUND)
      assert.deepEqual(refusedWith(await ann.delete(`${path}/7`), 422, 'VALIDATION_FAILED'), ['id'])
    },

    'contract 1.6: without an id 400 with the contract’s words; an id that is none 422': async ({ planner }) => {
      const ann = await planner()
      for (const body of [{}, { strategyId: '' }, { strategyId: null }]) {
        refusedWith(await ann.delete(path).send(body), 400, 'STRATEGY_ID_REQUIRED', 'Strategy ID is required')
      }
      assert.deepEqual(refusedWith(await ann.delete(path).send({ strategyId: 'x' }), 422, 'VALIDATION_FAILED'), [
        'strategyId',
      ])
      assert.deepEqual(refusedWith(await ann.delete(path).send({ strategyId: { $ne: '' } }), 400, 'INVALID_BODY'), [
        'strategyId',
      ])
      refusedWith(await ann.delete(path), 400, 'INVALID_BODY', 'Invalid request body')
    },

    'contract 1.9, M15: only its maker may; another’s intents for the same pod stay with the scheduler': async ({
      planner,
      as,
      admin,
      push,
      stored,
    }) => {
      const [ann, bob] = [await planner(), await planner()]
      const strategyId = await ann.plan(selecting('api'))
      const other = await bob.plan(selecting('api'))
      for (const stranger of [bob, as(admin)]) {
        refusedWith(await stranger.delete(path).send({ strategyId }), 404, 'STRATEGY_NOT_FOUND', NOT_FOUND)
      }
      assert.equal((await stored()).strategies.length, 2)
      dataOf(await ann.delete(path).send({ strategyId }))
      assert.deepEqual(await stored(), { strategies: [other], pods: ['api-1'] })
      assert.deepEqual(push.podsOf('node-2'), ['uid-of-api-1'])
    },

    'contract M14: If-Match holds for deleting, too': async ({ planner, stored }) => {
      const ann = await planner()
      const id = await ann.plan(selecting('web'))
      refusedWith(await ann.delete(`${path}/${id}`).set('if-match', '"2"'), 409, 'VERSION_CONFLICT')
      refusedWith(await ann.delete(path).set('if-match', '"2"').send({ strategyId: id }), 409, 'VERSION_CONFLICT')
      assert.equal((await stored()).strategies.length, 1)
      dataOf(await ann.delete(`${path}/${id}`).set('if-match', '"1"'))
    },

    'contract M12: nothing outside of one’s policies’ namespaces is deleted': async ({ planner, stored }) => {
      const others = scheduling.filter((key) => key !== 'schedule_strategy.delete')
      const ann = await planner({
        policies: [...others, { permissionKey: 'schedule_strategy.delete', policyNamespace: 'team' }],
      })
      const id = await ann.plan(selecting('web'))
      refusedWith(await ann.delete(`${path}/${id}`), 404, 'STRATEGY_NOT_FOUND')
      assert.equal((await stored()).strategies.length, 1)
      dataOf(await ann.delete(`${path}/${await ann.plan({ ...selecting('web'), strategyNamespace: 'team' })}`))
    },

    'a scheduler that is not told makes no failure of it': async ({ planner, push, stored }) => {
      const ann = await planner()
      const id = await ann.plan(selecting('web'))
      push.take = () => Promise.reject(new Error('away'))
      assert.deepEqual(dataOf(await ann.delete(`${path}/${id}`)), {})
      assert.deepEqual(await stored(), { strategies: [], pods: [] })
    },
  }),
)
