import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataOf, pod, refusedWith, scenes, scheduling, selecting } from '../testing/scheduling.js'

const path = '/api/v1/strategies'
const NOT_FOUND = "strategy not found or you don't have permission to update it"

test(
  'PUT /api/v1/strategies',
  scenes({
    'contract 1.9: the strategy and its intents are replaced, what is missing is as in a new one; maker and time of making stay':
      async ({ planner, db, stored, push }) => {
        const ann = await planner()
        const strategyId = await ann.plan({
          ...selecting('web'),
          strategyNamespace: 'team',
          commandRegex: '.*',
          priority: 3,
          executionTime: 5_000_000,
        })
        const before = await db.collection('schedule_strategies').findOne({})
        const response = await ann.put(path).send({ strategyId, ...selecting('api') })
        assert.deepEqual(dataOf(response), { id: strategyId, intents: 1, pushed: 1, pending: 0 })
        assert.equal(response.headers.etag, '"2"')
        const after = await db.collection('schedule_strategies').findOne({})
        assert.ok(after)
        const { updatedTime, ...rest } = after
        assert.ok(Number(updatedTime) >= Number(before?.createdTime))
        assert.deepEqual(rest, {
          _id: before?._id,
          strategyNamespace: '',
          labelSelectors: [{ key: 'app', value: 'api' }],
          k8sNamespace: [],
          commandRegex: '',
          priority: 10,
          executionTime: 20_000_000,
          createdTime: before?.createdTime,
          creatorID: before?.creatorID,
          updaterID: before?.updaterID,
          version: 2,
        })
        assert.deepEqual(await stored(), { strategies: [strategyId], pods: ['api-1'] })
        assert.deepEqual(push.podsOf('node-1'), [], 'the node that has none left is told so')
        assert.deepEqual(push.podsOf('node-2'), ['uid-of-api-1'])
      },

    'contract 1.6: without an id 400 with the contract’s words; an id that is none 422; wrong types 400': async ({
      planner,
    }) => {
      const ann = await planner()
      for (const strategyId of [undefined, null, '']) {
        const response = await ann.put(path).send({ strategyId, ...selecting('web') })
        refusedWith(response, 400, 'STRATEGY_ID_REQUIRED', 'Strategy ID is required')
      }
      for (const strategyId of ['7', 'z'.repeat(24), 'a'.repeat(25), '../../etc/passwd']) {
        assert.deepEqual(
          refusedWith(await ann.put(path).send({ strategyId, ...selecting('web') }), 422, 'VALIDATION_FAILED'),
          ['strategyId'],
        )
      }
      for (const strategyId of [7, { $ne: '' }, ['a']]) {
        assert.deepEqual(
          refusedWith(await ann.put(path).send({ strategyId, ...selecting('web') }), 400, 'INVALID_BODY'),
          ['strategyId'],
        )
      }
      const strategyId = await ann.plan(selecting('web'))
      assert.deepEqual(refusedWith(await ann.put(path).send({ strategyId }), 422, 'VALIDATION_FAILED'), [
        'labelSelectors',
      ])
      assert.deepEqual(
        refusedWith(
          await ann.put(path).send({ strategyId, ...selecting('web'), priority: 21 }),
          422,
          'VALIDATION_FAILED',
        ),
        ['priority'],
      )
      refusedWith(
        await ann.put(path).set('content-type', 'application/json').send('{'),
        400,
        'INVALID_BODY',
        'Invalid request body',
      )
    },

    'contract 1.9: only its maker may, an admin neither; before that nothing is said of the pods': async ({
      planner,
      as,
      admin,
      stored,
    }) => {
      const [ann, bob] = [await planner(), await planner()]
      const strategyId = await ann.plan(selecting('web'))
      const kept = await stored()
      for (const other of [bob, as(admin)]) {
        refusedWith(
          await other.put(path).send({ strategyId, ...selecting('api') }),
          404,
          'STRATEGY_NOT_FOUND',
          NOT_FOUND,
        )
        refusedWith(
          await other.put(path).send({ strategyId, ...selecting('nobody') }),
          404,
          'STRATEGY_NOT_FOUND',
          NOT_FOUND,
        )
      }
      refusedWith(
        await ann.put(path).send({ strategyId: 'f'.repeat(24), ...selecting('api') }),
        404,
        'STRATEGY_NOT_FOUND',
        NOT_FOUND,
      )
      assert.deepEqual(await stored(), kept)
      dataOf(await ann.put(path).send({ strategyId: strategyId.toUpperCase(), ...selecting('api') }))
    },

    'contract 1.9: no pods: 404 and nothing is changed': async ({ planner, stored, push }) => {
      const ann = await planner()
      const strategyId = await ann.plan(selecting('web'))
      const [kept, sends] = [await stored(), push.sets.length]
      refusedWith(
        await ann.put(path).send({ strategyId, ...selecting('nobody') }),
        404,
        'NO_PODS_MATCH',
        'no pods match the strategy criteria',
      )
      assert.deepEqual(await stored(), kept)
      assert.equal(push.sets.length, sends)
      const { version, labelSelectors } = dataOf(await ann.get(`${path}/${strategyId}`)) as Record<string, unknown>
      assert.deepEqual([version, labelSelectors], [1, selecting('web').labelSelectors])
    },

    'contract M14: If-Match: another version than was read is 409, and of two who read the same one wins': async ({
      planner,
      stored,
    }) => {
      const ann = await planner()
      const strategyId = await ann.plan(selecting('web'))
      const read = await ann.get(`${path}/${strategyId}`)
      const put = (etag: string, priority: number) =>
        ann
          .put(path)
          .set('if-match', etag)
          .send({ strategyId, ...selecting('web'), priority })
      const [etag] = [String(read.headers.etag)]
      assert.equal(etag, '"1"')
      const both = await Promise.all([put(etag, 1), put(etag, 2)])
      assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409])
      const lost = both.find(({ status }) => status === 409)
      if (lost !== undefined) refusedWith(lost, 409, 'VERSION_CONFLICT', 'It has been changed since it was read.')
      refusedWith(await put(etag, 3), 409, 'VERSION_CONFLICT')
      refusedWith(await put('"7"', 3), 409, 'VERSION_CONFLICT')
      refusedWith(await put('x', 3), 400, 'INVALID_HEADER')
      dataOf(await put('"2"', 4))
      dataOf(await put('*', 5))
      const { version, priority } = dataOf(await ann.get(`${path}/${strategyId}`)) as Record<string, unknown>
      assert.deepEqual([version, priority], [4, 5])
      assert.deepEqual((await stored()).pods, ['web-1', 'web-2', 'web-3'])
    },

    'contract M14: who meets another’s change for as long as it is tried is told so: 409, and no 503': async ({
      planner,
      store,
      stored,
    }) => {
      const ann = await planner()
      const strategyId = await ann.plan(selecting('web'))
      const kept = await stored()
      let over: () => void = () => {}
      const held = new Promise<void>((resolve) => {
        over = resolve
      })
      let holding: () => void = () => {}
      const begun = new Promise<void>((resolve) => {
        holding = resolve
      })
      const other = store.transaction(async (session) => {
        await store.strategies.updateOne({}, { $set: { commandRegex: 'other' } }, { session })
        holding()
        await held
      })
      await begun
      const [put, removed] = await Promise.all([
        ann.put(path).send({ strategyId, ...selecting('api') }),
        ann.delete(`${path}/${strategyId}`),
      ])
      over()
      await other
      refusedWith(put, 409, 'VERSION_CONFLICT')
      refusedWith(removed, 409, 'VERSION_CONFLICT')
      assert.deepEqual(await stored(), kept)
      dataOf(await ann.put(path).send({ strategyId, ...selecting('api') }))
    },

    'contract M14: many changes at once, without If-Match: each is whole, the last one stands': async ({
      planner,
      stored,
      db,
    }) => {
      const ann = await planner()
      const strategyId = await ann.plan(selecting('web'))
      const apps = ['web', 'api', 'job', 'web', 'api', 'job']
      const answers = await Promise.all(apps.map((app) => ann.put(path).send({ strategyId, ...selecting(app) })))
      // On a machine that is busy enough one may meet others for as long as it is tried.
      const done = answers.filter((answer) => {
        if (answer.status === 409) return refusedWith(answer, 409, 'VERSION_CONFLICT') === undefined
        return dataOf(answer) !== undefined
      })
      assert.ok(done.length > 0)
      const strategy = await db.collection('schedule_strategies').findOne({})
      assert.equal(strategy?.version, 1 + done.length)
      const app = strategy?.labelSelectors[0].value as string
      assert.deepEqual(
        (await stored()).pods.map((name) => name.split('-')[0]),
        Array(app === 'web' ? 3 : 1).fill(app),
      )
    },

    'contract M12: neither out of the namespaces of one’s policies nor into others': async ({
      planner,
      cluster,
      stored,
    }) => {
      cluster.setPod(pod('bank-1', 'web', 'node-3', 'bank'))
      const others = scheduling.filter((key) => key !== 'schedule_strategy.update')
      const ann = await planner({
        policies: [...others, { permissionKey: 'schedule_strategy.update', k8sNamespace: 'shop' }],
      })
      const outside = await ann.plan({ ...selecting('web'), k8sNamespace: ['bank'] })
      const inside = await ann.plan({ ...selecting('api'), k8sNamespace: ['shop'] })
      const kept = await stored()
      refusedWith(
        await ann.put(path).send({ strategyId: outside, ...selecting('web'), k8sNamespace: ['shop'] }),
        404,
        'STRATEGY_NOT_FOUND',
      )
      refusedWith(
        await ann.put(path).send({ strategyId: inside, ...selecting('web'), k8sNamespace: ['bank'] }),
        403,
        'PERMISSION_DENIED',
      )
      refusedWith(await ann.put(path).send({ strategyId: inside, ...selecting('web') }), 403, 'PERMISSION_DENIED')
      assert.deepEqual(await stored(), kept)
      dataOf(await ann.put(path).send({ strategyId: inside, ...selecting('web'), k8sNamespace: ['shop'] }))
    },

    'a scheduler that is not told makes no failure of a change that is stored': async ({ planner, push, stored }) => {
      const ann = await planner()
      const strategyId = await ann.plan(selecting('web'))
      push.take = () => Promise.reject(new Error('away'))
      assert.deepEqual(dataOf(await ann.put(path).send({ strategyId, ...selecting('api') })), {
        id: strategyId,
        intents: 1,
        pushed: 0,
        pending: 1,
      })
      assert.deepEqual((await stored()).pods, ['api-1'])
    },

    'while nobody knows what is in the cluster: 503, and nothing is changed': async ({ planner, cluster, stored }) => {
      const ann = await planner()
      const strategyId = await ann.plan(selecting('web'))
      const kept = await stored()
      cluster.synced = false
      refusedWith(await ann.put(path).send({ strategyId, ...selecting('api') }), 503, 'CLUSTER_UNKNOWN')
      assert.deepEqual(await stored(), kept)
    },
  }),
)
