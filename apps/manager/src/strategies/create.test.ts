import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Int32, Long } from 'mongodb'
import { dataOf, pod, refusedWith, scenes, scheduling, selecting } from '../testing/scheduling.js'

const path = '/api/v1/strategies'

test(
  'POST /api/v1/strategies',
  scenes({
    'contract 1.17.6: one matching pod, one send; the list has one strategy and one intent in state 2 with the pod’s UID':
      async ({ planner, push, cluster }) => {
        cluster.setPod(pod('one', 'single', 'test'))
        const ann = await planner()
        const response = await ann
          .post(path)
          .send({ ...selecting('single'), strategyNamespace: 'team', priority: 3, executionTime: 5_000_000 })
        const { id, ...counts } = dataOf(response, 201) as { id: string }
        assert.deepEqual(counts, { intents: 1, pushed: 1, pending: 0 })
        assert.equal(response.headers.etag, '"1"')
        assert.deepEqual(
          push.sets.map(({ node, intents }) => [node, intents.map(({ podID }) => podID)]),
          [['test', ['uid-of-one']]],
        )
        const { strategies } = dataOf(await ann.get(`${path}/self`)) as { strategies: Record<string, unknown>[] }
        assert.equal(strategies.length, 1)
        const [{ createdTime, updatedTime, ...strategy }] = strategies as [Record<string, unknown>]
        assert.match(String(createdTime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
        assert.equal(updatedTime, createdTime)
        assert.deepEqual(strategy, {
          id,
          strategyNamespace: 'team',
          labelSelectors: [{ key: 'app', value: 'single' }],
          k8sNamespace: [],
          commandRegex: '',
          priority: 3,
          executionTime: 5_000_000,
          version: 1,
        })
        const { intents } = dataOf(await ann.get('/api/v1/intents/self')) as { intents: Record<string, unknown>[] }
        assert.equal(intents.length, 1)
        const [{ id: _, ...intent }] = intents as [Record<string, unknown>]
        assert.deepEqual(intent, {
          strategyId: id,
          strategyNamespace: 'team',
          podId: 'uid-of-one',
          podName: 'one',
          nodeId: 'test',
          k8sNamespace: 'shop',
          commandRegex: '',
          priority: 3,
          executionTime: 5_000_000,
          podLabels: { app: 'single', 'app.kubernetes.io/name': 'single' },
          state: 2,
        })
      },

    'contract 1.7, 1.16: in the database whole numbers are int and long, and ids are ObjectIds': async ({
      planner,
      db,
    }) => {
      const ann = await planner()
      await ann.plan({ ...selecting('api'), executionTime: 1_000_000_000 })
      const raw = { promoteLongs: false, promoteValues: false }
      const strategy = await db.collection('schedule_strategies').findOne({}, raw)
      const intent = await db.collection('schedule_intents').findOne({}, raw)
      for (const doc of [strategy, intent]) {
        assert.ok(doc?.priority instanceof Int32)
        assert.ok(doc.version instanceof Int32)
        for (const name of ['executionTime', 'createdTime', 'updatedTime']) assert.ok(doc[name] instanceof Long, name)
        assert.equal(String(doc.creatorID), ann.user.id.toHexString())
      }
      assert.equal(Number(strategy?.executionTime), 1_000_000_000)
      assert.ok(intent?.state instanceof Int32)
      assert.equal(String(intent.strategyID), String(strategy?._id))
    },

    'what is left out is as the original’s page begins: priority 10, 20 ms; members that are unknown are ignored':
      async ({ planner }) => {
        const ann = await planner()
        const id = await ann.plan({
          k8sNamespace: ['shop', 'shop'],
          labelSelectors: [{ key: 'app' }],
          unknown: { $where: '1' },
        })
        const { priority, executionTime, k8sNamespace, labelSelectors, commandRegex, strategyNamespace } = dataOf(
          await ann.get(`${path}/${id}`),
        ) as Record<string, unknown>
        assert.deepEqual(
          { priority, executionTime, k8sNamespace, labelSelectors, commandRegex, strategyNamespace },
          {
            priority: 10,
            executionTime: 20_000_000,
            k8sNamespace: ['shop'],
            labelSelectors: [{ key: 'app', value: '' }],
            commandRegex: '',
            strategyNamespace: '',
          },
        )
      },

    'contract 1.6 POST /strategies, M12: what is not valid is refused with its field named, and nothing is stored':
      async ({ planner, stored, push }) => {
        const ann = await planner()
        const good = selecting('web')
        const wrongTypes: [object, string][] = [
          [{ strategyNamespace: 7 }, 'strategyNamespace'],
          [{ labelSelectors: {} }, 'labelSelectors'],
          [{ labelSelectors: ['app=web'] }, 'labelSelectors[0]'],
          [{ labelSelectors: [{ key: 7, value: 'x' }] }, 'labelSelectors[0].key'],
          [{ labelSelectors: [{ key: 'a', value: { $ne: '' } }] }, 'labelSelectors[0].value'],
          [{ k8sNamespace: 'shop' }, 'k8sNamespace'],
          [{ k8sNamespace: ['shop', 7] }, 'k8sNamespace[1]'],
          [{ k8sNamespace: { $gt: '' } }, 'k8sNamespace'],
          [{ commandRegex: ['a'] }, 'commandRegex'],
          [{ priority: '1' }, 'priority'],
          [{ priority: 1.5 }, 'priority'],
          [{ priority: [] }, 'priority'],
          [{ executionTime: '20ms' }, 'executionTime'],
          [{ executionTime: true }, 'executionTime'],
        ]
        for (const [part, field] of wrongTypes) {
          const response = await ann.post(path).send({ ...good, ...part })
          assert.deepEqual(
            refusedWith(response, 400, 'INVALID_BODY', 'Invalid request body'),
            [field],
            JSON.stringify(part),
          )
        }
        const wrongValues: [object, string][] = [
          [{ strategyNamespace: 'Team A' }, 'strategyNamespace'],
          [{ strategyNamespace: 'x'.repeat(64) }, 'strategyNamespace'],
          [{ labelSelectors: [{ key: '', value: 'x' }] }, 'labelSelectors[0].key'],
          [{ labelSelectors: [{ key: 'a b', value: 'x' }] }, 'labelSelectors[0].key'],
          [{ labelSelectors: [{ key: '$where', value: 'x' }] }, 'labelSelectors[0].key'],
          [{ labelSelectors: [{ key: '__proto__', value: 'x' }] }, 'labelSelectors[0].key'],
          [{ labelSelectors: [{ value: 'x' }] }, 'labelSelectors[0].key'],
          [{ labelSelectors: [{ key: 'a', value: 'ü' }] }, 'labelSelectors[0].value'],
          [{ labelSelectors: [{ key: 'a', value: 'x'.repeat(64) }] }, 'labelSelectors[0].value'],
          [{ labelSelectors: Array.from({ length: 33 }, (_, n) => ({ key: `k${n}`, value: '' })) }, 'labelSelectors'],
          [{ k8sNamespace: [''] }, 'k8sNamespace[0]'],
          [{ k8sNamespace: ['*'] }, 'k8sNamespace[0]'],
          [{ k8sNamespace: Array.from({ length: 65 }, (_, n) => `n${n}`) }, 'k8sNamespace'],
          [{ commandRegex: '[' }, 'commandRegex'],
          [{ commandRegex: '(?=a)' }, 'commandRegex'],
          [{ commandRegex: '(a)\\1' }, 'commandRegex'],
          [{ commandRegex: '((a{100}){100}){100}' }, 'commandRegex'],
          [{ commandRegex: 'x'.repeat(257) }, 'commandRegex'],
          [{ priority: -1 }, 'priority'],
          [{ priority: 21 }, 'priority'],
          [{ priority: 1e9 }, 'priority'],
          [{ executionTime: 0 }, 'executionTime'],
          [{ executionTime: 999_999 }, 'executionTime'],
          [{ executionTime: 1_000_000_001 }, 'executionTime'],
          [{ executionTime: 2 ** 53 - 1 }, 'executionTime'],
          [{ labelSelectors: [] }, 'labelSelectors'],
          [{ labelSelectors: null }, 'labelSelectors'],
          [{ labelSelectors: [], commandRegex: 'nginx', strategyNamespace: 'team' }, 'labelSelectors'],
        ]
        for (const [part, field] of wrongValues) {
          const response = await ann.post(path).send({ ...good, ...part })
          assert.deepEqual(refusedWith(response, 422, 'VALIDATION_FAILED'), [field], JSON.stringify(part))
        }
        for (const body of ['', '{', '[]', '"x"', '{"labelSelectors":[{"key":"app","value":"web"}]']) {
          refusedWith(
            await ann.post(path).set('content-type', 'application/json').send(body),
            400,
            'INVALID_BODY',
            'Invalid request body',
          )
        }
        assert.deepEqual(await stored(), { strategies: [], pods: [] })
        assert.equal(push.sets.length, 0)
        await ann.plan({ ...good, priority: 0, executionTime: 1_000_000 })
        await ann.plan({
          ...good,
          priority: 20,
          executionTime: 1_000_000_000,
          commandRegex: '.*',
          strategyNamespace: 'a',
        })
      },

    'contract M12: an expression that would keep a backtracking engine for years is answered at once': async ({
      planner,
      cluster,
    }) => {
      cluster.setPod(
        pod('long', 'web', 'node-1', 'shop', {
          containers: [{ name: 'a', commandLine: `${'a'.repeat(50_000)}!`, ports: [] }],
        }),
      )
      const ann = await planner()
      const started = performance.now()
      for (const commandRegex of ['(a+)+$b', '(x+x+)+y', '(.*)*(.*)*(.*)*[\\x00]']) {
        refusedWith(await ann.post(path).send({ ...selecting('web'), commandRegex }), 404, 'NO_PODS_MATCH')
      }
      assert.ok(performance.now() - started < 3_000)
    },

    'contract 1.6, 1.8.3: no pods: 404 with the contract’s words, and nothing stored': async ({
      planner,
      stored,
      push,
    }) => {
      const ann = await planner()
      refusedWith(
        await ann.post(path).send(selecting('nobody')),
        404,
        'NO_PODS_MATCH',
        'no pods match the strategy criteria',
      )
      refusedWith(await ann.post(path).send({ ...selecting('web'), k8sNamespace: ['batch'] }), 404, 'NO_PODS_MATCH')
      refusedWith(await ann.post(path).send({ ...selecting('web'), commandRegex: '.+' }), 404, 'NO_PODS_MATCH')
      assert.deepEqual(await stored(), { strategies: [], pods: [] })
      assert.equal(push.sets.length, 0)
    },

    'contract M15: with a second strategy a node is sent its whole set, of both': async ({ planner, push }) => {
      const [ann, bob] = [await planner(), await planner()]
      await ann.plan(selecting('api'))
      await bob.plan(selecting('web'))
      assert.deepEqual(push.podsOf('node-2'), ['uid-of-api-1', 'uid-of-web-3'])
      assert.deepEqual(push.podsOf('node-1'), ['uid-of-web-1', 'uid-of-web-2'])
      await ann.plan({ ...selecting('web'), priority: 1 })
      assert.deepEqual(
        push.podsOf('node-1'),
        ['uid-of-web-1', 'uid-of-web-2', 'uid-of-web-1', 'uid-of-web-2'],
        'two for one pod: the scheduler chooses',
      )
    },

    'contract M13: what the schedulers were not told is pending, in a 201; the state stays 1': async ({
      planner,
      push,
    }) => {
      const ann = await planner()
      push.take = async ({ node }) => {
        if (node === 'node-1') throw new Error('refused')
        return 'sent'
      }
      const failed = dataOf(await ann.post(path).send(selecting('web')), 201) as Record<string, unknown>
      assert.deepEqual({ ...failed, id: '' }, { id: '', intents: 3, pushed: 1, pending: 2 })
      const { intents } = dataOf(await ann.get('/api/v1/intents/self')) as {
        intents: { podName: string; state: number }[]
      }
      assert.deepEqual(
        intents.map(({ podName, state }) => [podName, state]),
        [
          ['web-1', 1],
          ['web-2', 1],
          ['web-3', 2],
        ],
      )
      push.take = () => Promise.resolve('no-scheduler')
      const none = dataOf(await ann.post(path).send(selecting('api')), 201) as Record<string, unknown>
      assert.deepEqual({ ...none, id: '' }, { id: '', intents: 1, pushed: 0, pending: 1 })
      push.sets.length = 0
      const nowhere = dataOf(await ann.post(path).send(selecting('job')), 201) as Record<string, unknown>
      assert.deepEqual({ ...nowhere, id: '' }, { id: '', intents: 1, pushed: 0, pending: 1 })
      assert.equal(push.sets.length, 0, 'a pod that is on no node has no scheduler')
    },

    'a strategy is for 10,000 pods at the most: one more is refused, and nothing is stored': async ({
      planner,
      stored,
      cluster,
    }) => {
      const ann = await planner()
      const strategyId = await ann.plan(selecting('web'))
      const kept = await stored()
      for (let n = 0; n <= 10_000; n++) cluster.setPod(pod(`many-${n}`, 'many', 'node-1'))
      const refused = await ann.post(path).send(selecting('many'))
      refusedWith(
        refused,
        422,
        'TOO_MANY_PODS',
        '10001 pods match, and a strategy may be for 10000; say it in several.',
      )
      refusedWith(await ann.put(path).send({ strategyId, ...selecting('many') }), 422, 'TOO_MANY_PODS')
      assert.deepEqual(await stored(), kept)
    },

    'a user has 1,000 strategies at the most, and others are none of his': async ({ planner, db }) => {
      const [ann, bob] = [await planner(), await planner()]
      const id = await ann.plan(selecting('api'))
      const strategies = db.collection('schedule_strategies')
      // With the numbers as they are stored.
      const { _id: _, ...one } = (await strategies.findOne({}, { promoteValues: false })) ?? {}
      await strategies.insertMany(Array.from({ length: 999 }, () => ({ ...one })))
      refusedWith(await ann.post(path).send(selecting('api')), 422, 'TOO_MANY_STRATEGIES')
      dataOf(await bob.post(path).send(selecting('api')), 201)
      dataOf(await ann.delete(`${path}/${id}`))
      dataOf(await ann.post(path).send(selecting('api')), 201)
    },

    'contract M12: the namespaces of policies are enforced': async ({ planner, stored, cluster }) => {
      cluster.setPod(pod('bank-1', 'web', 'node-3', 'bank'))
      const others = scheduling.filter((key) => key !== 'schedule_strategy.create')
      const limited = await planner({
        policies: [
          ...others,
          { permissionKey: 'schedule_strategy.create', k8sNamespace: 'shop', policyNamespace: 'team' },
          { permissionKey: 'schedule_strategy.create', k8sNamespace: 'batch' },
        ],
      })
      const refused = [
        { ...selecting('web') },
        { ...selecting('web'), strategyNamespace: 'team' },
        { ...selecting('web'), k8sNamespace: ['shop'] },
        { ...selecting('web'), k8sNamespace: ['shop'], strategyNamespace: 'other' },
        { ...selecting('web'), k8sNamespace: ['shop', 'bank'], strategyNamespace: 'team' },
        { ...selecting('web'), k8sNamespace: ['bank'], strategyNamespace: 'team' },
      ]
      for (const body of refused) {
        refusedWith(await limited.post(path).send(body), 403, 'PERMISSION_DENIED', 'permission denied')
      }
      assert.deepEqual(await stored(), { strategies: [], pods: [] })
      await limited.plan({ ...selecting('web'), k8sNamespace: ['shop'], strategyNamespace: 'team' })
      await limited.plan({ ...selecting('job'), k8sNamespace: ['batch'], strategyNamespace: 'other' })
      await limited.plan({ labelSelectors: [], k8sNamespace: ['batch', 'shop'], strategyNamespace: 'team' })
      assert.deepEqual(
        (await stored()).pods.filter((name) => name.startsWith('bank')),
        [],
      )
    },

    'while nobody knows what is in the cluster nothing is made of what there may have been: 503': async ({
      planner,
      stored,
      cluster,
    }) => {
      const ann = await planner()
      cluster.synced = false
      cluster.problem = 'no route to host'
      const response = await ann.post(path).send(selecting('web'))
      refusedWith(response, 503, 'CLUSTER_UNKNOWN')
      assert.ok(response.headers['retry-after'])
      assert.doesNotMatch(response.text, /no route/)
      assert.deepEqual(await stored(), { strategies: [], pods: [] })
      cluster.synced = true
      await ann.plan(selecting('web'))
    },
  }),
)
