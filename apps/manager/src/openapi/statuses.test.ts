import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_ROOT } from '@bulkhead/intents'
import { ObjectId } from 'mongodb'
import type supertest from 'supertest'
import { cookieName } from '../auth/sessions/cookie.js'
import { type OpenApi, operationsOf } from '../testing/documented.js'
import type { As } from '../testing/index.js'
import { type Scene, schedulerPod, schedulingScene, selecting } from '../testing/scheduling.js'

const SESSION = '/api/v1/auth/session'
const unknown = '0123456789abcdef01234567'
const long = 'a long password'
type Asked = PromiseLike<supertest.Response>

/** What somebody has to do to be answered so; what is said of every route is below. */
const ways: Readonly<Record<string, Readonly<Record<number, (scene: Scene, admin: As) => Asked | Promise<Asked>>>>> = {
  login: {
    200: ({ agent, admin }) =>
      agent.post('/api/v1/auth/login').send({ username: admin.username, password: admin.password }),
    401: ({ agent }) => agent.post('/api/v1/auth/login').send({ username: 'x', password: 'y' }),
    422: ({ agent }) => agent.post('/api/v1/auth/login').send({}),
    429: ({ agent }) => untilHeld(() => agent.post('/api/v1/auth/login').send({ username: 'held', password: 'y' })),
  },
  createSession: {
    200: (scene) => fromPage(scene, { username: scene.admin.username, password: scene.admin.password }),
    401: (scene) => fromPage(scene, { username: 'x', password: 'y' }),
    403: ({ agent, admin: { username, password } }) => agent.post(SESSION).send({ username, password }),
    422: (scene) => fromPage(scene, {}),
    429: (scene) => untilHeld(() => fromPage(scene, { username: 'held', password: 'y' })),
  },
  getSession: { 200: (_scene, admin) => admin.get(SESSION), 403: foreign('get', SESSION) },
  deleteSession: {
    200: async (scene) => scene.as(await scene.user()).delete(SESSION),
    403: foreign('delete', SESSION),
  },
  getSelf: { 200: (_scene, admin) => admin.get('/api/v1/users/self'), 403: foreign('get', '/api/v1/users/self') },
  changeOwnPassword: {
    200: async (scene) => ownPassword(scene, await scene.user(), `another ${long}`),
    403: foreign('put', '/api/v1/users/self/password'),
    409: async (scene) => {
      const user = await scene.user()
      const both = await Promise.all([1, 2].map((n) => ownPassword(scene, user, `${long} ${n}`)))
      return Promise.resolve(both.find(({ status }) => status === 409) ?? both[0]) as Asked
    },
    422: async (scene) => ownPassword(scene, await scene.user(), 'short'),
    429: async (scene) => {
      const user = await scene.user()
      return untilHeld(() =>
        scene.as(user).put('/api/v1/users/self/password').send({ oldPassword: 'wrong', newPassword: long }),
      )
    },
  },
  createUser: {
    200: (_scene, admin) => admin.post('/api/v1/users').send({ username: 'once', password: long }),
    409: (_scene, admin) => admin.post('/api/v1/users').send({ username: 'once', password: long }),
    422: (_scene, admin) => admin.post('/api/v1/users').send({}),
  },
  listUsers: listOf('/api/v1/users'),
  resetPassword: changeOfUser('/api/v1/users/password', { newPassword: long }),
  setUserPermissions: changeOfUser('/api/v1/users/permissions', { roles: [] }),
  createRole: {
    200: (_scene, admin) => admin.post('/api/v1/roles').send({ name: 'once' }),
    409: (_scene, admin) => admin.post('/api/v1/roles').send({ name: 'once' }),
    422: (_scene, admin) => admin.post('/api/v1/roles').send({}),
  },
  listRoles: listOf('/api/v1/roles'),
  updateRole: {
    200: async (scene, admin) => admin.put('/api/v1/roles').send({ id: await roleOf(scene), description: 'x' }),
    409: async (scene, admin) =>
      admin
        .put('/api/v1/roles')
        .set('if-match', '"9"')
        .send({ id: await roleOf(scene) }),
    422: (_scene, admin) => admin.put('/api/v1/roles').send({ id: 'x' }),
  },
  deleteRoleByBody: {
    200: async (scene, admin) => admin.delete('/api/v1/roles').send({ id: await roleOf(scene) }),
    404: (_scene, admin) => admin.delete('/api/v1/roles').send({ id: unknown }),
    409: async (scene, admin) => admin.delete('/api/v1/roles').send({ id: await roleOf(scene, 'admin') }),
    422: (_scene, admin) => admin.delete('/api/v1/roles').send({ id: 'x' }),
  },
  deleteRole: {
    200: async (scene, admin) => admin.delete(`/api/v1/roles/${await roleOf(scene)}`),
    400: async (scene, admin) => admin.delete(`/api/v1/roles/${await roleOf(scene)}`).set('if-match', 'x'),
    404: (_scene, admin) => admin.delete(`/api/v1/roles/${unknown}`),
    409: async (scene, admin) => admin.delete(`/api/v1/roles/${await roleOf(scene, 'admin')}`),
    422: (_scene, admin) => admin.delete('/api/v1/roles/x'),
  },
  listPermissions: listOf('/api/v1/permissions'),
  createStrategy: {
    201: (_scene, admin) => admin.post('/api/v1/strategies').set('idempotency-key', 'k').send(selecting('web')),
    404: (_scene, admin) => admin.post('/api/v1/strategies').send(selecting('none')),
    409: (_scene, admin) => admin.post('/api/v1/strategies').set('idempotency-key', 'k').send(selecting('api')),
    422: (_scene, admin) => admin.post('/api/v1/strategies').send({}),
  },
  updateStrategy: {
    200: async (_scene, admin) =>
      admin.put('/api/v1/strategies').send({ ...selecting('api'), strategyId: await strategyOf(admin) }),
    404: (_scene, admin) => admin.put('/api/v1/strategies').send({ ...selecting('api'), strategyId: unknown }),
    409: async (_scene, admin) =>
      admin
        .put('/api/v1/strategies')
        .set('if-match', '"9"')
        .send({ ...selecting('api'), strategyId: await strategyOf(admin) }),
    422: (_scene, admin) => admin.put('/api/v1/strategies').send({ strategyId: 'x' }),
  },
  listStrategies: listOf('/api/v1/strategies/self'),
  getStrategy: {
    200: async (_scene, admin) => admin.get(`/api/v1/strategies/${await strategyOf(admin)}`),
    404: (_scene, admin) => admin.get(`/api/v1/strategies/${unknown}`),
    422: (_scene, admin) => admin.get('/api/v1/strategies/x'),
  },
  deleteStrategyByBody: {
    200: async (_scene, admin) => admin.delete('/api/v1/strategies').send({ strategyId: await strategyOf(admin) }),
    404: (_scene, admin) => admin.delete('/api/v1/strategies').send({ strategyId: unknown }),
    409: async (_scene, admin) =>
      admin
        .delete('/api/v1/strategies')
        .set('if-match', '"9"')
        .send({ strategyId: await strategyOf(admin) }),
    422: (_scene, admin) => admin.delete('/api/v1/strategies').send({ strategyId: 'x' }),
  },
  deleteStrategy: {
    200: async (_scene, admin) => admin.delete(`/api/v1/strategies/${await strategyOf(admin)}`),
    400: async (_scene, admin) => admin.delete(`/api/v1/strategies/${await strategyOf(admin)}`).set('if-match', 'x'),
    404: (_scene, admin) => admin.delete(`/api/v1/strategies/${unknown}`),
    409: async (_scene, admin) => admin.delete(`/api/v1/strategies/${await strategyOf(admin)}`).set('if-match', '"9"'),
    422: (_scene, admin) => admin.delete('/api/v1/strategies/x'),
  },
  listIntents: listOf('/api/v1/intents/self'),
  deleteIntents: {
    200: async (_scene, admin) => admin.delete('/api/v1/intents').send({ intentIds: [await intentOf(admin)] }),
    404: (_scene, admin) => admin.delete('/api/v1/intents').send({ intentIds: [unknown] }),
    409: (scene, admin) =>
      whileOthersChange(scene, admin, (id) => admin.delete('/api/v1/intents').send({ intentIds: [id] })),
    422: (_scene, admin) => admin.delete('/api/v1/intents').send({ intentIds: ['x'] }),
  },
  deleteIntent: {
    200: async (_scene, admin) => admin.delete(`/api/v1/intents/${await intentOf(admin)}`),
    404: (_scene, admin) => admin.delete(`/api/v1/intents/${unknown}`),
    409: (scene, admin) => whileOthersChange(scene, admin, (id) => admin.delete(`/api/v1/intents/${id}`)),
    422: (_scene, admin) => admin.delete('/api/v1/intents/x'),
  },
  listNodes: listOf('/api/v1/nodes'),
  listNodeProcesses: {
    200: ({ push }, admin) => {
      push.read = () =>
        Promise.resolve({
          pods: [{ podUid: 'u', processes: [{ pid: 1, command: 'sh' }] }],
          timestamp: '',
          nodeName: 'node-1',
        })
      return admin.get('/api/v1/nodes/node-1/pods/pids')
    },
    400: (_scene, admin) => admin.get('/api/v1/nodes/%20/pods/pids'),
    404: (_scene, admin) => admin.get('/api/v1/nodes/none/pods/pids'),
    422: (_scene, admin) => admin.get(`/api/v1/nodes/${'n'.repeat(254)}/pods/pids`),
  },
  reportScheduler: {
    200: async (scene) => (await scene.asScheduler('node-1')).put(REPORT).send(report(scene)),
    400: async ({ asScheduler }) =>
      (await asScheduler('node-1')).put(REPORT).set('content-type', 'application/json').send('{"'),
    403: async (scene) => (await scene.asScheduler('node-2')).put(REPORT).send(report(scene)),
    404: async (scene) => (await scene.asScheduler('none')).put('/api/v1/schedulers/none').send(report(scene)),
    409: async (scene) =>
      (await scene.asScheduler('node-1')).put(REPORT).send({ ...report(scene), podName: 'somebody' }),
    413: async ({ asScheduler }) => (await asScheduler('node-1')).put(REPORT).send({ padding: 'x'.repeat(70_000) }),
    415: async ({ asScheduler }) => (await asScheduler('node-1')).put(REPORT).set('content-encoding', 'gzip').send({}),
    422: async (scene) => (await scene.asScheduler('node-1')).put(REPORT).send({ ...report(scene), rootHash: 'x' }),
  },
  listSchedulers: listOf('/api/v1/schedulers'),
  listAudit: listOf('/api/v1/audit'),
  getVersion: { 200: ({ agent }) => agent.get('/version') },
}

const REPORT = '/api/v1/schedulers/node-1'

/** What the scheduler of node-1 says, which is in the cluster from now on. */
function report({ cluster }: Scene): object {
  cluster.setPod(schedulerPod('scheduler-1', 'node-1'))
  return { podName: 'scheduler-1', startedAt: '2026-01-01T00:00:00Z', setVersion: 0, rootHash: EMPTY_ROOT, intents: 0 }
}

function listOf(path: string) {
  return {
    200: (_scene: Scene, admin: As): Asked => admin.get(path),
    422: (_scene: Scene, admin: As): Asked => admin.get(`${path}?limit=0`),
  }
}

function changeOfUser(path: string, change: object) {
  return {
    200: async (scene: Scene, admin: As): Promise<Asked> =>
      admin.put(path).send({ userID: (await scene.user()).id.toHexString(), ...change }),
    404: (_scene: Scene, admin: As): Asked => admin.put(path).send({ userID: unknown, ...change }),
    409: async (scene: Scene, admin: As): Promise<Asked> =>
      admin
        .put(path)
        .set('if-match', '"9"')
        .send({ userID: (await scene.user()).id.toHexString(), ...change }),
    422: (_scene: Scene, admin: As): Asked => admin.put(path).send({ userID: 'x' }),
  }
}

/** A browser's request that a page of another site has made it send. */
function foreign(method: 'get' | 'put' | 'delete', path: string) {
  return ({ agent, admin }: Scene): Asked =>
    agent[method](path)
      .set('cookie', `${cookieName(false)}=${admin.token}`)
      .set('sec-fetch-site', 'cross-site')
}

/** As the page itself sends it. */
const fromPage = ({ agent }: Scene, body: object): supertest.Test =>
  agent.post(SESSION).set({ host: 'page.test', origin: 'http://page.test' }).send(body)

const ownPassword = (scene: Scene, user: Scene['admin'], newPassword: string) =>
  scene.as(user).put('/api/v1/users/self/password').send({ oldPassword: user.password, newPassword })

/** Asks from within somebody else's transaction, which has the intent. */
async function whileOthersChange(
  { store }: Scene,
  admin: As,
  ask: (id: string) => supertest.Test,
): Promise<supertest.Response> {
  const id = await intentOf(admin)
  return store.transaction(async (session) => {
    await store.intents.updateOne({ _id: new ObjectId(id) }, { $set: { podName: 'x' } }, { session })
    return ask(id)
  })
}

async function untilHeld(ask: () => supertest.Test): Promise<supertest.Response> {
  for (let tries = 0; ; tries++) {
    const response = await ask()
    if (response.status === 429 || tries === 10) return response
  }
}

let made = 0

async function roleOf({ as, admin, db }: Scene, name = `role-${++made}`): Promise<string> {
  if (name !== 'admin') await as(admin).post('/api/v1/roles').send({ name }).expect(200)
  return String((await db.collection('roles').findOne({ name }))?._id)
}

async function strategyOf(admin: As): Promise<string> {
  const { body } = await admin.post('/api/v1/strategies').send(selecting('web')).expect(201)
  return (body as { data: { id: string } }).data.id
}

async function intentOf(admin: As): Promise<string> {
  const id = await strategyOf(admin)
  const { body } = await admin.get(`/api/v1/intents/self?strategyID=${id}`).expect(200)
  return (body as { data: { intents: { id: string }[] } }).data.intents[0]?.id ?? ''
}

/** What is said of every route of its kind. 503 is what the tests of a database that is gone ask every route for. */
function usual({ agent, as, admin }: Scene, nobody: Scene['admin'], method: string, template: string) {
  const path = template.replace(/\{\w+\}/g, unknown)
  const verb = method.toLowerCase() as 'get' | 'post' | 'put' | 'delete'
  return {
    400: () => as(admin)[verb](path).set('content-type', 'application/json').send('{"'),
    401: () => agent[verb](path),
    403: () => as(nobody)[verb](path),
    413: () =>
      as(admin)
        [verb](path)
        .send({ padding: 'x'.repeat(70_000) }),
    415: () => as(admin)[verb](path).set('content-encoding', 'gzip').send({}),
  } as Readonly<Record<number, () => Asked>>
}

test('every status that the document has is one that the service answers', async (t) => {
  const scene = await schedulingScene(t)
  const nobody = await scene.user()
  const admin = scene.as(scene.admin)
  const document = (await scene.agent.get('/openapi.json').expect(200)).body as OpenApi
  const api = operationsOf(document).filter(({ responses }) => 'default' in responses)
  const reached: string[] = []
  for (const { operationId, method, path, responses } of api)
    for (const status of Object.keys(responses).map(Number)) {
      if (Number.isNaN(status) || status === 503) continue
      const special = ways[operationId]?.[status]
      const answered =
        special === undefined ? await usual(scene, nobody, method, path)[status]?.() : await special(scene, admin)
      assert.equal(
        answered?.status,
        status,
        `${operationId} ${status}: nobody knows a way to it, or it is not so: ${answered?.text}`,
      )
      reached.push(`${operationId} ${status}`)
    }
  assert.ok(reached.length > 140, `${reached.length}`)
  assert.deepEqual(
    reached.filter((each) => !scene.documented.seen.has(each)),
    [],
  )
  // And the other way round: no way leads to a status that is not in it.
  const documented = new Set(
    api.flatMap(({ operationId, responses }) => Object.keys(responses).map((status) => `${operationId} ${status}`)),
  )
  for (const [operationId, statuses] of Object.entries(ways))
    for (const status of Object.keys(statuses))
      assert.ok(documented.has(`${operationId} ${status}`), `${operationId} ${status}`)
})
