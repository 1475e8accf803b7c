import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataOf, type Planner, pod, refusedWith, scenes, scheduling, selecting } from '../testing/scheduling.js'

const path = '/api/v1/intents'
const NOT_FOUND = "one or more intents not found or you don't have permission to delete them"

interface Page {
  readonly intents: readonly { readonly id: string; readonly podName: string; readonly state: number }[]
  readonly nextCursor?: string
}

const listed = async (planner: Planner, query = ''): Promise<Page> =>
  dataOf(await planner.get(`${path}/self${query}`)) as Page
const names = ({ intents }: Page): string[] => intents.map(({ podName }) => podName)

test(
  'GET /api/v1/intents/self',
  scenes({
    'contract 1.6, M27: one’s own only, a list also when there is none, in pages': async ({ planner, as, admin }) => {
      const [ann, bob] = [await planner(), await planner()]
      assert.deepEqual(await listed(ann), { intents: [] })
      await bob.plan(selecting('api'))
      await ann.plan(selecting('web'))
      assert.deepEqual(names(await listed(ann)), ['web-1', 'web-2', 'web-3'])
      assert.deepEqual(dataOf(await as(admin).get(`${path}/self`)), { intents: [] })
      const first = await listed(ann, '?limit=2')
      assert.deepEqual(names(first), ['web-1', 'web-2'])
      const second = await listed(ann, `?limit=2&cursor=${first.nextCursor}`)
      assert.deepEqual([names(second), second.nextCursor], [['web-3'], undefined])
    },

    'by strategy, node, pod, namespace and state': async ({ planner, push }) => {
      const ann = await planner()
      push.take = async ({ node }) => (node === 'node-1' ? 'no-scheduler' : 'sent')
      const web = await ann.plan(selecting('web'))
      await ann.plan({ labelSelectors: [], k8sNamespace: ['batch'] })
      for (const [query, expected] of [
        [`strategyId=${web}`, ['web-1', 'web-2', 'web-3']],
        ['nodeId=node-2', ['web-3']],
        ['nodeId=', ['job-1']],
        ['podId=uid-of-web-2', ['web-2']],
        ['k8sNamespace=batch', ['job-1']],
        ['state=2', ['web-3']],
        ['state=1&nodeId=node-1', ['web-1', 'web-2']],
        ['state=0', []],
      ] as const) {
        assert.deepEqual(names(await listed(ann, `?${query}`)), expected, query)
      }
      for (const [query, field] of [
        ['strategyId=7', 'strategyId'],
        ['state=3', 'state'],
        ['state=sent', 'state'],
        ['limit=201', 'limit'],
        ['cursor=7', 'cursor'],
      ] as const) {
        assert.deepEqual(refusedWith(await ann.get(`${path}/self?${query}`), 422, 'VALIDATION_FAILED'), [field], query)
      }
    },

    'contract M12: only those of the namespaces that one’s policies are good for': async ({ planner, cluster }) => {
      cluster.setPod(pod('bank-1', 'web', 'node-3', 'bank'))
      const others = scheduling.filter((key) => key !== 'schedule_intent.read')
      const permissionKey = 'schedule_intent.read'
      const ann = await planner({
        policies: [
          ...others,
          { permissionKey, k8sNamespace: 'shop', policyNamespace: 'team' },
          { permissionKey, k8sNamespace: 'bank' },
        ],
      })
      await ann.plan({ ...selecting('web'), strategyNamespace: 'team' })
      assert.deepEqual(names(await listed(ann)).sort(), ['bank-1', 'web-1', 'web-2', 'web-3'])
      await ann.plan({ ...selecting('web'), strategyNamespace: 'other' })
      assert.deepEqual(names(await listed(ann)).sort(), ['bank-1', 'bank-1', 'web-1', 'web-2', 'web-3'])
    },
  }),
)

test(
  'DELETE /api/v1/intents',
  scenes({
    'contract 1.17.8: one of two deleted leaves one; the node has the rest': async ({ planner, push }) => {
      const ann = await planner()
      await ann.plan(selecting('web'))
      const { intents } = await listed(ann, '?nodeId=node-1')
      assert.deepEqual(dataOf(await ann.delete(path).send({ intentIds: [intents[0]?.id] })), {})
      assert.deepEqual(names(await listed(ann, '?nodeId=node-1')), ['web-2'])
      assert.deepEqual(push.podsOf('node-1'), ['uid-of-web-2'])
    },

    'contract 1.9: all of them or none: each has to be there and the caller’s own': async ({
      planner,
      as,
      admin,
      stored,
    }) => {
      const [ann, bob] = [await planner(), await planner()]
      await ann.plan(selecting('web'))
      await bob.plan(selecting('api'))
      const own = (await listed(ann)).intents.map(({ id }) => id)
      const others = (await listed(bob)).intents.map(({ id }) => id)
      const kept = await stored()
      for (const intentIds of [[...own, 'f'.repeat(24)], [...own, ...others], others]) {
        refusedWith(await ann.delete(path).send({ intentIds }), 404, 'INTENTS_NOT_FOUND', NOT_FOUND)
      }
      refusedWith(await as(admin).delete(path).send({ intentIds: own }), 404, 'INTENTS_NOT_FOUND', NOT_FOUND)
      assert.deepEqual(await stored(), kept)
      const twice = [...own, ...own.map((id) => id.toUpperCase())]
      assert.deepEqual(dataOf(await ann.delete(path).send({ intentIds: twice })), {}, 'one that is named twice is one')
      assert.deepEqual((await stored()).pods, ['api-1'])
      refusedWith(await ann.delete(path).send({ intentIds: own }), 404, 'INTENTS_NOT_FOUND')
    },

    'contract 1.6: none named: 400 with the contract’s words; what is no id 422; wrong types 400': async ({
      planner,
    }) => {
      const ann = await planner()
      for (const body of [{}, { intentIds: [] }, { intentIds: null }]) {
        refusedWith(await ann.delete(path).send(body), 400, 'INTENT_IDS_REQUIRED', 'At least one intent ID is required')
      }
      for (const [intentIds, status, field] of [
        [['x'], 422, 'intentIds[0]'],
        [['a'.repeat(24), ''], 422, 'intentIds[1]'],
        [Array(1_001).fill('a'.repeat(24)), 422, 'intentIds'],
        [['a'.repeat(24), 7], 400, 'intentIds[1]'],
        ['a'.repeat(24), 400, 'intentIds'],
        [{ $ne: [] }, 400, 'intentIds'],
      ] as const) {
        const response = await ann.delete(path).send({ intentIds })
        assert.deepEqual(refusedWith(response, status, status === 400 ? 'INVALID_BODY' : 'VALIDATION_FAILED'), [field])
      }
      refusedWith(await ann.delete(path), 400, 'INVALID_BODY', 'Invalid request body')
    },

    'contract M28: one, by the path': async ({ planner }) => {
      const [ann, bob] = [await planner(), await planner()]
      await ann.plan(selecting('web'))
      const [first] = (await listed(ann)).intents
      refusedWith(await bob.delete(`${path}/${first?.id}`), 404, 'INTENTS_NOT_FOUND', NOT_FOUND)
      assert.deepEqual(dataOf(await ann.delete(`${path}/${first?.id}`)), {})
      assert.deepEqual(names(await listed(ann)), ['web-2', 'web-3'])
      refusedWith(await ann.delete(`${path}/${first?.id}`), 404, 'INTENTS_NOT_FOUND')
      assert.deepEqual(refusedWith(await ann.delete(`${path}/x`), 422, 'VALIDATION_FAILED'), ['id'])
    },

    'contract M12: nothing outside of one’s policies’ namespaces is deleted': async ({ planner, cluster, stored }) => {
      cluster.setPod(pod('bank-1', 'web', 'node-3', 'bank'))
      const others = scheduling.filter((key) => key !== 'schedule_intent.delete')
      const ann = await planner({
        policies: [...others, { permissionKey: 'schedule_intent.delete', k8sNamespace: 'bank' }],
      })
      await ann.plan(selecting('web'))
      const all = (await listed(ann)).intents
      refusedWith(await ann.delete(path).send({ intentIds: all.map(({ id }) => id) }), 404, 'INTENTS_NOT_FOUND')
      assert.equal((await stored()).pods.length, 4)
      dataOf(
        await ann
          .delete(path)
          .send({ intentIds: all.filter(({ podName }) => podName === 'bank-1').map(({ id }) => id) }),
      )
      assert.deepEqual((await stored()).pods, ['web-1', 'web-2', 'web-3'])
    },
  }),
)
