import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import type supertest from 'supertest'
import { sharedManager, type TestManager, type TestUser } from '../../testing/index.js'
import { serviceOf } from '../../testing/service-of.js'
import { cookieName, cookieOf } from './cookie.js'

const PATH = '/api/v1/auth/session'
const HOST = 'manager.test'
const manager = sharedManager()

/** What a browser sends along with a request of this service's own page. */
const ofPage = { host: HOST, origin: `http://${HOST}`, 'sec-fetch-site': 'same-origin' }

interface LoggedIn {
  readonly cookie: string
  readonly token: string
  readonly csrf: string
  readonly setCookie: string
}

const cookieIn = (response: supertest.Response): string => String(response.headers['set-cookie'])

async function logIn(m: TestManager, { username, password }: TestUser): Promise<LoggedIn> {
  const response = await m.agent.post(PATH).set(ofPage).send({ username, password }).expect(200)
  const setCookie = cookieIn(response)
  const cookie = setCookie.split(';', 1)[0] ?? ''
  return { cookie, token: cookie.slice(cookie.indexOf('=') + 1), csrf: response.body.data.csrfToken, setCookie }
}

/** Something that changes something, and nothing to anybody. */
const change = (m: TestManager, headers: object) =>
  m.agent
    .post('/api/v1/roles')
    .set({ ...headers })
    .send({ name: '' })

test('a browser logs in: the token is in a cookie that no script can read, and nowhere in the answer', async () => {
  const m = await manager()
  const user = await m.user({
    policies: ['user.read', { permissionKey: 'schedule_intent.read', k8sNamespace: 'shop' }],
  })
  const response = await m.agent
    .post(PATH)
    .set(ofPage)
    .send({ username: user.username, password: user.password })
    .expect(200)
  const setCookie = cookieIn(response)
  const [, token = ''] =
    /^bulkhead-session=([\w.-]+); Path=\/; Max-Age=10800; HttpOnly; SameSite=Strict$/.exec(setCookie) ?? []
  assert.equal(decodeJwt(token).uid, user.id.toHexString())
  assert.ok(!response.text.includes(token) && !response.text.includes(token.split('.')[2] ?? '?'))
  const { user: shown, permissions, expiresAt, csrfToken } = response.body.data
  assert.deepEqual([shown.username, shown.status, shown.roles], [user.username, 1, [`role of ${user.username}`]])
  assert.deepEqual(
    permissions.map(({ permissionKey, k8sNamespace }: { permissionKey: string; k8sNamespace: string }) => [
      permissionKey,
      k8sNamespace,
    ]),
    [
      ['user.read', ''],
      ['schedule_intent.read', 'shop'],
    ],
  )
  assert.equal(Date.parse(expiresAt) / 1_000, decodeJwt(token).exp)
  const again = await m.agent.get(PATH).set('cookie', `bulkhead-session=${token}`).expect(200)
  assert.deepEqual(again.body.data, response.body.data, 'a page that is loaded again learns the same')
  assert.equal(csrfToken, again.body.data.csrfToken)
  assert.equal(
    (await m.agent.get('/api/v1/users').set('cookie', `bulkhead-session=${token}`).expect(200)).body.success,
    true,
  )
})

test('with a cookie, what changes something needs the page’s own Origin and the token of its session', async () => {
  const m = await manager()
  const { cookie, csrf } = await logIn(m, m.admin)
  const other = await logIn(m, m.admin)
  const right = { ...ofPage, cookie, 'x-csrf-token': csrf }
  // The positive control: it comes as far as its fields.
  await change(m, right).expect(422)
  const { origin: _, ...noOrigin } = right
  const { 'sec-fetch-site': __, ...noSite } = right
  await change(m, noSite).expect(422)
  const cases: readonly (readonly [headers: object, code: string])[] = [
    [{ ...right, origin: 'http://evil.test' }, 'ORIGIN_REFUSED'],
    [{ ...right, origin: `http://${HOST}.evil.test` }, 'ORIGIN_REFUSED'],
    [{ ...right, origin: `http://${HOST}:81` }, 'ORIGIN_REFUSED'],
    [{ ...right, origin: 'null' }, 'ORIGIN_REFUSED'],
    [{ ...right, origin: '' }, 'ORIGIN_REFUSED'],
    [noOrigin, 'ORIGIN_REFUSED'],
    [{ ...right, 'sec-fetch-site': 'cross-site' }, 'ORIGIN_REFUSED'],
    [{ ...right, 'sec-fetch-site': 'same-site' }, 'ORIGIN_REFUSED'],
    [{ ...ofPage, cookie }, 'CSRF_TOKEN_INVALID'],
    [{ ...right, 'x-csrf-token': '' }, 'CSRF_TOKEN_INVALID'],
    [{ ...right, 'x-csrf-token': `${csrf}A` }, 'CSRF_TOKEN_INVALID'],
    [{ ...right, 'x-csrf-token': other.csrf }, 'CSRF_TOKEN_INVALID'],
  ]
  for (const [headers, code] of cases) {
    const { body } = await change(m, headers).expect(403)
    assert.equal(body.code, code, JSON.stringify(headers))
  }
})

test('what only reads needs no token, and is not for other sites', async () => {
  const m = await manager()
  const { cookie } = await logIn(m, m.admin)
  const get = (headers: object) => m.agent.get('/api/v1/users/self').set({ cookie, ...headers })
  await get({}).expect(200)
  await get({ 'sec-fetch-site': 'same-origin' }).expect(200)
  await get({ 'sec-fetch-site': 'none' }).expect(200)
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'http://evil.test' },
  ])
    assert.equal((await get(headers).expect(403)).body.code, 'ORIGIN_REFUSED')
})

test('another site cannot log its visitor in: the login asks where it comes from, too', async () => {
  const m = await manager()
  const { username, password } = m.admin
  const { 'sec-fetch-site': _, ...withoutSite } = ofPage
  await m.agent.post(PATH).set(withoutSite).send({ username, password }).expect(200)
  for (const headers of [
    {},
    { ...ofPage, origin: 'http://evil.test' },
    { ...ofPage, 'sec-fetch-site': 'cross-site' },
  ]) {
    const { body, headers: answered } = await m.agent.post(PATH).set(headers).send({ username, password }).expect(403)
    assert.equal(body.code, 'ORIGIN_REFUSED')
    assert.equal(answered['set-cookie'], undefined)
  }
})

test('a token in the header counts, and the cookie beside it does not: not for what is asked, nor in its place', async () => {
  const m = await manager()
  const { cookie } = await logIn(m, m.admin)
  const user = await m.user()
  // No Origin and no token: no page of another site can send this header.
  await change(m, { cookie, authorization: `Bearer ${m.admin.token}` }).expect(422)
  const self = (authorization: string) => m.agent.get('/api/v1/users/self').set({ cookie, authorization })
  assert.equal((await self(`Bearer ${user.token}`).expect(200)).body.data.username, user.username)
  assert.equal((await self('Bearer nonsense').expect(401)).body.code, 'TOKEN_INVALID')
  assert.equal((await self('Basic abc').expect(401)).body.code, 'AUTHORIZATION_MALFORMED')
  const session = await m.as(user).get(PATH).expect(200)
  assert.equal('csrfToken' in session.body.data, false)
})

test('logging out ends this login, on the server, and no other of the same user', async () => {
  const m = await manager()
  const user = await m.user()
  const here = await logIn(m, user)
  const there = await logIn(m, user)
  const self = ({ cookie }: LoggedIn) => m.agent.get('/api/v1/users/self').set({ cookie })
  const left = await m.agent
    .delete(PATH)
    .set({ ...ofPage, cookie: here.cookie, 'x-csrf-token': here.csrf })
    .expect(200)
  assert.equal(cookieIn(left), 'bulkhead-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict')
  assert.equal((await self(here).expect(401)).body.code, 'TOKEN_INVALID')
  await m.agent.get('/api/v1/users/self').set('authorization', `Bearer ${here.token}`).expect(401)
  await self(there).expect(200)
  await m.as(user).get('/api/v1/users/self').expect(200)
  // So does a program that logs out.
  await m.as(user).delete(PATH).expect(200)
  await m.as(user).get('/api/v1/users/self').expect(401)
  await self(there).expect(200)
  const noted = await m.store.audit.find({ userID: user.id }, { sort: { _id: 1 } }).toArray()
  assert.deepEqual(
    noted.map(({ action, outcome }) => `${action} ${outcome}`),
    ['auth.login ok', 'auth.login ok', 'auth.logout ok', 'auth.logout ok'],
  )
})

test('what is remembered of ended logins has an end: old ones are forgotten, and one too many ends all', async () => {
  const m = await manager()
  const user = await m.user()
  const { cookie, csrf } = await logIn(m, user)
  const many = Array.from({ length: 199 }, (_, at) => ({ id: `old ${at}`, until: new Date(Date.now() + 60_000) }))
  await m.store.users.updateOne(
    { _id: user.id },
    { $set: { endedSessions: [{ id: 'over', until: new Date(0) }, ...many] } },
  )
  await m.agent
    .delete(PATH)
    .set({ ...ofPage, cookie, 'x-csrf-token': csrf })
    .expect(200)
  const after = await m.store.users.findOne({ _id: user.id })
  assert.equal(after?.endedSessions?.length, 200)
  assert.ok(after?.endedSessions?.every(({ id }) => id !== 'over'))
  await m.as(user).get('/api/v1/users/self').expect(200)
  const next = await logIn(m, user)
  await m.agent
    .delete(PATH)
    .set({ ...ofPage, cookie: next.cookie, 'x-csrf-token': next.csrf })
    .expect(200)
  await m.as(user).get('/api/v1/users/self').expect(401)
  assert.equal((await m.store.users.findOne({ _id: user.id }))?.endedSessions, undefined)
})

test('a change of the password, and being made inactive, end a browser’s session like all others', async () => {
  const m = await manager()
  for (const end of [
    (user: TestUser, { cookie, csrf }: LoggedIn) =>
      m.agent
        .put('/api/v1/users/self/password')
        .set({ ...ofPage, cookie, 'x-csrf-token': csrf })
        .send({ oldPassword: user.password, newPassword: 'quite another one' }),
    (user: TestUser) =>
      m.as(m.admin).put('/api/v1/users/permissions').send({ userID: user.id.toHexString(), status: 2 }),
  ]) {
    const user = await m.user()
    const session = await logIn(m, user)
    await end(user, session).expect(200)
    await m.agent.get(PATH).set({ cookie: session.cookie }).expect(401)
  }
})

test('by https, as a trusted proxy says, the cookie is a __Host- one, and the plain one is nothing', async () => {
  const m = await manager()
  const { username, password } = m.admin
  const trusting = serviceOf(m, { proxies: { from: ['127.0.0.0/8'], hops: 1 } })
  const https = { host: HOST, origin: `https://${HOST}`, 'x-forwarded-proto': 'https' }
  const made = await trusting.post(PATH).set(https).send({ username, password }).expect(200)
  assert.match(
    cookieIn(made),
    /^__Host-bulkhead-session=[\w.-]+; Path=\/; Max-Age=10800; HttpOnly; SameSite=Strict; Secure$/,
  )
  const [, token = ''] = /=([^;]+)/.exec(cookieIn(made)) ?? []
  const self = (name: string, headers: object) =>
    trusting.get('/api/v1/users/self').set({ ...headers, cookie: `${name}=${token}` })
  await self(cookieName(true), https).expect(200)
  await self(cookieName(false), https).expect(401)
  await self(cookieName(false), { host: HOST }).expect(200)
  await self(cookieName(true), { host: HOST }).expect(401)
  // Somebody on the way who has the same name by plain HTTP.
  const planted = await trusting
    .post(PATH)
    .set({ ...https, origin: `http://${HOST}` })
    .send({ username, password })
  assert.equal(planted.body.code, 'ORIGIN_REFUSED')
  // From anybody else that header says nothing.
  const strange = serviceOf(m, { proxies: { from: ['10.244.0.0/16'], hops: 1 } })
  const plain = await strange.post(PATH).set(https).send({ username, password }).expect(200)
  assert.match(cookieIn(plain), /^bulkhead-session=[^;]+; Path=\/; Max-Age=10800; HttpOnly; SameSite=Strict$/)
})

test('guesses by the page and by programs are held off together', async () => {
  const m = await manager()
  const user = await m.user()
  const guess = (path: string) => m.agent.post(path).set(ofPage).send({ username: user.username, password: 'a guess' })
  for (const path of [PATH, '/api/v1/auth/login', PATH, '/api/v1/auth/login', PATH]) await guess(path).expect(401)
  for (const path of [PATH, '/api/v1/auth/login'])
    assert.match(String((await guess(path).expect(429)).headers['retry-after']), /^\d+$/)
})

test('a Cookie header is read for one cookie of the name, and for none where there are two', () => {
  const name = cookieName(false)
  assert.equal(cookieOf(`a=b; ${name}=t.o.k; c=d`, false), 't.o.k')
  assert.equal(cookieOf(`x${name}=a;${name}=t`, false), 't')
  for (const header of [
    undefined,
    '',
    name,
    `${name}=`,
    `${name}=a; ${name}=b`,
    `x-${name}=a`,
    `${cookieName(true)}=a`,
  ])
    assert.equal(cookieOf(header, false), undefined, header)
})
