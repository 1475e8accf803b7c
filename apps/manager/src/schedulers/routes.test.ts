import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { EMPTY_ROOT, managerTo, type SchedulerReport, schedulerOf, signStatement } from '@bulkhead/intents'
import { createLog } from '@bulkhead/service-kit'
import { eventually } from '@bulkhead/testing'
import supertest from 'supertest'
import { createApp } from '../app.js'
import type { PodView } from '../kubernetes/types.js'
import { quickService } from '../properties/testing/quick-service.js'
import {
  dataOf,
  refusedWith,
  type Scene,
  scenes,
  schedulerPod,
  schedulingScene,
  selecting,
} from '../testing/scheduling.js'
import { defaultSchedulers } from './identity.js'
import { Schedulers, STALE_MS } from './service.js'

const PATH = '/api/v1/schedulers'

const saying = (part: Partial<SchedulerReport> = {}): SchedulerReport => ({
  podName: 'scheduler-1',
  startedAt: '2026-01-01T00:00:00Z',
  setVersion: 0,
  rootHash: EMPTY_ROOT,
  intents: 0,
  ...part,
})

async function report(scene: Scene, body: object = saying(), node = 'node-1') {
  return (await scene.asScheduler(node)).put(`${PATH}/${node}`).send(body)
}

/** With the scheduler of node-1 in the cluster. */
function withScheduler({ cluster }: Scene, more: Partial<PodView> = {}): void {
  cluster.setPod(schedulerPod('scheduler-1', 'node-1', more))
}

test(
  'PUT /api/v1/schedulers/{node}',
  scenes({
    'D10: what a scheduler says is kept; one that has what it should is sent nothing': async (scene) => {
      withScheduler(scene)
      await (await scene.planner()).plan(selecting('web'))
      scene.push.sets.length = 0
      const first = dataOf(await report(scene)) as { rootHash: string; inSync: boolean }
      assert.equal(first.inSync, false)
      await eventually('its set is on the way at once', () => scene.push.podsOf('node-1')?.length === 2)
      scene.push.sets.length = 0
      const metrics = { nr_running: 3, usersched_last_run_at: 2 ** 60 }
      const has = saying({ setVersion: 7, rootHash: first.rootHash, intents: 2, metrics })
      assert.deepEqual(dataOf(await report(scene, has)), { rootHash: first.rootHash, inSync: true })
      const kept = await scene.store.schedulers.findOne({ _id: 'node-1' })
      assert.deepEqual([kept?.podName, kept?.setVersion, kept?.intents, kept?.metrics], ['scheduler-1', 7, 2, metrics])
      assert.equal(scene.push.sets.length, 0)
    },

    'a root that is right over another number of intents is another set': async (scene) => {
      withScheduler(scene)
      assert.deepEqual(dataOf(await report(scene, saying({ intents: 1 }))), { rootHash: EMPTY_ROOT, inSync: false })
    },

    'nobody waits for what is sent then': async (scene) => {
      withScheduler(scene)
      await (await scene.planner()).plan(selecting('web'))
      scene.push.take = () => new Promise(() => {})
      assert.equal((dataOf(await report(scene)) as { inSync: boolean }).inSync, false)
      scene.push.take = () => Promise.resolve('sent')
    },

    'M17: a node that Kubernetes does not know, and pods that are no schedulers there by its account': async (
      scene,
    ) => {
      refusedWith(await report(scene, saying(), 'node-9'), 404, 'NODE_NOT_FOUND', 'node not found')
      const others: readonly Partial<PodView>[] = [
        { namespace: 'shop' },
        { serviceAccount: 'default' },
        { labels: { app: 'web' } },
        { nodeName: 'node-2' },
        { phase: 'Failed' },
        { name: 'scheduler-2' },
      ]
      for (const other of others) {
        scene.cluster.setPod({ ...schedulerPod('scheduler-1', 'node-1'), ...other })
        const refused = await report(scene)
        refusedWith(refused, 409, 'NOT_A_SCHEDULER')
        assert.match(
          refused.body.error,
          /no scheduler "scheduler-1" on this node .*namespace gthulhu-node, ServiceAccount gthulhu/,
        )
      }
      for (const phase of ['Pending', 'Running'] as const) {
        withScheduler(scene, { phase })
        dataOf(await report(scene))
      }
      scene.cluster.synced = false
      refusedWith(await report(scene), 503, 'CLUSTER_UNKNOWN')
    },

    'a body that is no report names the field; no address is taken from one': async (scene) => {
      withScheduler(scene)
      const wrong: readonly (readonly [object, string])[] = [
        [{ ...saying(), rootHash: 'x' }, 'rootHash'],
        [{ ...saying(), setVersion: -1 }, 'setVersion'],
        [{ ...saying(), startedAt: 'yesterday' }, 'startedAt'],
        [{ ...saying(), metrics: { nr_running: -1 } }, 'metrics.nr_running'],
        [{ ...saying(), metrics: { $where: 1 } }, 'metrics'],
        [{ ...saying(), podName: '../x' }, 'podName'],
      ]
      for (const [body, field] of wrong)
        assert.deepEqual(refusedWith(await report(scene, body), 422, 'VALIDATION_FAILED'), [field])
      dataOf(await report(scene, { ...saying(), address: '10.0.0.1:80', podIP: '10.0.0.1' }))
      assert.ok(!JSON.stringify(await scene.store.schedulers.find().toArray()).includes('10.0.0.1'))
    },

    'what is refused is in the audit log under its name, twenty of a kind; what goes well is not': async (scene) => {
      withScheduler(scene)
      await scene.db.collection('audit_logs').deleteMany({})
      const asked = await scene.asScheduler('node-2')
      for (let n = 0; n < 23; n++) refusedWith(await asked.put(`${PATH}/node-1`).send(saying()), 403, 'NOT_ITS_NODE')
      dataOf(await report(scene))
      refusedWith(await report(scene, saying({ podName: 'nobody' })), 409, 'NOT_A_SCHEDULER')
      await scene.agent.put(`${PATH}/node-1`).send(saying()).expect(401)
      const { entries } = dataOf(await scene.as(scene.admin).get('/api/v1/audit?limit=200')) as {
        entries: { username: string; code: string; target?: string; action: string }[]
      }
      const shown = entries.map(({ username, action, code, target }) => [username, action, code, target])
      assert.deepEqual(shown[0], ['scheduler:node-1', 'scheduler.report', 'NOT_A_SCHEDULER', 'schedulers/node-1'])
      assert.equal(shown.length, 21)
      assert.deepEqual(shown[1], ['scheduler:node-2', 'scheduler.report', 'NOT_ITS_NODE', undefined])
    },
  }),
)

test(
  'GET /api/v1/schedulers',
  scenes({
    'each node’s, in order and in pages, with what it should have': async (scene) => {
      for (const n of [1, 2, 3]) scene.cluster.setPod(schedulerPod(`scheduler-${n}`, `node-${n}`))
      for (const n of [3, 1, 2]) dataOf(await report(scene, saying({ podName: `scheduler-${n}` }), `node-${n}`))
      await (await scene.planner()).plan(selecting('api'))
      const viewer = scene.as(await scene.user({ policies: ['pod_pid_mapping.read'] }))
      type Page = { schedulers: Record<string, unknown>[]; nextCursor?: string }
      const first = dataOf(await viewer.get(`${PATH}?limit=2`)) as Page
      assert.deepEqual(
        first.schedulers.map(({ node, inSync, stale }) => [node, inSync, stale]),
        [
          ['node-1', true, false],
          ['node-2', false, false],
        ],
      )
      const second = dataOf(await viewer.get(`${PATH}?limit=2&cursor=${first.nextCursor}`)) as Page
      assert.deepEqual([second.schedulers.map(({ node }) => node), second.nextCursor], [['node-3'], undefined])
      const { lastSeen, expectedRoot, ...rest } = first.schedulers[1] as Record<string, unknown>
      assert.match(String(lastSeen), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      assert.notEqual(expectedRoot, EMPTY_ROOT)
      assert.deepEqual(rest, {
        ...{ node: 'node-2', podName: 'scheduler-2', startedAt: '2026-01-01T00:00:00Z', stale: false },
        ...{ setVersion: 0, intents: 0, rootHash: EMPTY_ROOT, inSync: false },
      })
      refusedWith(await scene.as(await scene.user()).get(PATH), 403, 'PERMISSION_DENIED')
    },

    'one that has said nothing for three reports is stale': async (scene) => {
      withScheduler(scene)
      let now = 1_800_000_000_000
      const { store, cluster } = scene
      const sync = { sync: () => Promise.resolve(new Set<string>()) }
      const schedulers = new Schedulers({ store, cluster, sync, identity: defaultSchedulers, now: () => now })
      await store.schedulers.deleteMany({})
      await schedulers.report('node-1', saying())
      now += STALE_MS - 1
      assert.deepEqual(
        (await schedulers.list({ limit: 9 })).map(({ stale }) => stale),
        [false],
      )
      now += 1
      assert.deepEqual(
        (await schedulers.list({ limit: 9 })).map(({ stale }) => stale),
        [true],
      )
    },
  }),
)

test('the table of routes: a scheduler’s assertion is good for its own report alone, and a user’s token for anything but that', async (t) => {
  const scene = await schedulingScene(t)
  withScheduler(scene)
  const { routes } = await quickService(t, scene)
  const scheduler = await scene.asScheduler('node-1')
  const admin = scene.as(scene.admin)
  let reports = 0
  for (const { method, path, permission } of routes) {
    if (permission === 'none') continue
    const verb = method.toLowerCase() as 'get'
    const own = path.replace('{node}', 'node-1').replace(/\{\w+\}/g, '0123456789abcdef01234567')
    if (permission === 'scheduler') {
      reports++
      refusedWith(await admin[verb](own), 401, 'TOKEN_INVALID')
      refusedWith(await scene.agent[verb](own), 401, 'AUTHORIZATION_MISSING')
      refusedWith(await scheduler[verb](path.replace('{node}', 'node-2')), 403, 'NOT_ITS_NODE')
    } else refusedWith(await scheduler[verb](own), 401, 'TOKEN_INVALID')
  }
  assert.equal(reports, 1)
  dataOf(await report(scene), 200)
})

test('an assertion that is not quite one: 401, and the reason stays here', async (t) => {
  const scene = await schedulingScene(t)
  withScheduler(scene)
  const { privateKey: stranger } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const right = schedulerOf('node-1')
  const now = Date.now()
  const signed = (key: KeyObject, change: object = {}, at = now, seconds?: number) =>
    signStatement(key, { ...right, ...change }, at, seconds)
  const { schedulerKey, key } = scene
  const wrong = await Promise.all([
    signed(stranger),
    // The manager's own key: what it shows to schedulers is good for nothing here.
    signed(key),
    signStatement(key, managerTo('node-1'), now),
    signed(schedulerKey, { issuer: 'bss-api-server' }),
    signed(schedulerKey, { subject: 'node-1' }),
    signed(schedulerKey, { subject: 'scheduler:' }),
    signed(schedulerKey, { audience: 'scheduler:node-1' }),
    signed(schedulerKey, {}, now - 400_000),
    signed(schedulerKey, {}, now + 400_000),
    signed(schedulerKey, {}, now - 3_600_000, 86_400),
  ])
  const ask = (token: string) =>
    scene.agent.put(`${PATH}/node-1`).set('authorization', `Bearer ${token}`).send(saying())
  for (const [n, token] of wrong.entries()) {
    const refused = await ask(token)
    refusedWith(refused, 401, 'TOKEN_INVALID', 'Invalid or expired token')
    assert.equal(refused.headers['www-authenticate'], 'Bearer', `${n}`)
  }
  for (const none of ['x', 'a.b.c', `${await signed(schedulerKey)}x`])
    refusedWith(await ask(none), 401, 'TOKEN_INVALID')
  dataOf(await ask(await signed(schedulerKey)))
})

test('without the schedulers’ key nobody is taken for one: 503 that says so, for everybody', async (t) => {
  const scene = await schedulingScene(t)
  withScheduler(scene)
  const { store, cluster, push, key, admin } = scene
  const log = createLog({ name: 'manager', level: 'silent', write: () => {} })
  const { server } = createApp({ store, cluster, push, log, config: { key, admin: { email: '', password: '' } } })
  const token = await signStatement(scene.schedulerKey, schedulerOf('node-1'), Date.now())
  for (const bearer of [token, admin.token]) {
    const refused = await supertest(server)
      .put(`${PATH}/node-1`)
      .set('authorization', `Bearer ${bearer}`)
      .send(saying())
    refusedWith(refused, 503, 'SCHEDULERS_UNKNOWN')
    assert.equal(refused.headers['retry-after'], '60')
  }
  refusedWith(await supertest(server).put(`${PATH}/node-1`).send(saying()), 401, 'AUTHORIZATION_MISSING')
})
