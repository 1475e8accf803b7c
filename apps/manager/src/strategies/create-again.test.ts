import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataOf, pod, refusedWith, scenes, selecting } from '../testing/scheduling.js'

const path = '/api/v1/strategies'

test(
  'POST /api/v1/strategies, sent again',
  scenes({
    'contract M13: the same request with the same key is done once, and answered twice': async ({
      planner,
      stored,
      push,
    }) => {
      const [ann, bob] = [await planner(), await planner()]
      const body = { ...selecting('web'), priority: 4 }
      const first = dataOf(await ann.post(path).set('idempotency-key', 'k-1').send(body), 201)
      const sends = push.sets.length
      const again = await ann
        .post(path)
        .set('idempotency-key', 'k-1')
        .send({ priority: 4, ...selecting('web'), executionTime: 20_000_000 })
      assert.deepEqual(dataOf(again, 201), first, 'another order and what is the default anyway make no other request')
      assert.equal(again.headers.etag, '"1"')
      assert.equal(push.sets.length, sends)
      assert.equal((await stored()).strategies.length, 1)
      const other = await ann
        .post(path)
        .set('idempotency-key', 'k-1')
        .send({ ...body, priority: 5 })
      refusedWith(other, 409, 'IDEMPOTENCY_KEY_REUSED')
      assert.notDeepEqual(
        dataOf(await bob.post(path).set('idempotency-key', 'k-1').send(body), 201),
        first,
        'a key is its user’s',
      )
      assert.notDeepEqual(dataOf(await ann.post(path).set('idempotency-key', 'k-2').send(body), 201), first)
      refusedWith(await ann.post(path).set('idempotency-key', 'two words').send(body), 400, 'INVALID_HEADER')
      assert.equal((await stored()).strategies.length, 3)
    },

    'contract M13: what was refused is not remembered; sent twice at once it is still done once': async ({
      planner,
      stored,
      cluster,
    }) => {
      const ann = await planner()
      const send = () => ann.post(path).set('idempotency-key', 'k').send(selecting('late'))
      refusedWith(await send(), 404, 'NO_PODS_MATCH')
      cluster.setPod(pod('late', 'late', 'node-3'))
      const answers = await Promise.all([send(), send(), send(), send()])
      const ids = new Set(answers.map((answer) => (dataOf(answer, 201) as { id: string }).id))
      assert.equal(ids.size, 1)
      assert.deepEqual((await stored()).strategies, [...ids])
      assert.deepEqual((await stored()).pods, ['late'])
    },

    'contract M13: of what was deleted since, an answer that is given again says that nothing is pending': async ({
      planner,
    }) => {
      const ann = await planner()
      const send = () => ann.post(path).set('idempotency-key', 'k').send(selecting('web'))
      const { id } = dataOf(await send(), 201) as { id: string }
      assert.deepEqual(dataOf(await send(), 201), { id, intents: 3, pushed: 3, pending: 0 })
      dataOf(await ann.delete(`${path}/${id}`))
      assert.deepEqual(dataOf(await send(), 201), { id, intents: 3, pushed: 0, pending: 0 })
    },
  }),
)
