import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Api } from './client/api/client.js'
import { ApiError, failureOf } from './client/api/failure.js'
import { tell } from './client/logic/told.js'

interface Asked {
  readonly url: string
  readonly init: RequestInit
}

const session = (id: string, csrfToken: string) => ({
  success: true,
  data: { user: { id, username: id, roles: [], status: 1, version: 1 }, permissions: [], expiresAt: '', csrfToken },
})
const refusal = (code: string) => ({ success: false, error: code, code, requestId: 'r' })

/** A service that answers what it is told to, one after the other; undefined: nobody answers. */
function serving(
  ...answers: (readonly [status: number, body: unknown, headers?: Record<string, string>] | undefined)[]
) {
  const asked: Asked[] = []
  const events: string[] = []
  const api = new Api({
    fetch: async (input, init = {}) => {
      asked.push({ url: String(input), init })
      const answer = answers.shift()
      if (answer === undefined) throw new TypeError('Failed to fetch')
      const [status, body, headers = {}] = answer
      return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers })
    },
    onExpired: () => events.push('expired'),
    onOtherUser: ({ user }) => events.push(`other ${user.id}`),
  })
  return { api, asked, events }
}

const header = ({ init }: Asked, name: string): string | null => new Headers(init.headers).get(name)

test('what changes something has the session’s CSRF token, what reads has none, and nobody has a token of his own', async () => {
  const { api, asked } = serving([200, session('a', 'c1')], [200, { success: true }], [200, { success: true, data: 7 }])
  await api.logIn('ann', 'pw')
  await api.request('PUT', '/roles', { body: { id: 'x' }, version: 3 })
  assert.equal(
    await api.request('GET', '/users', { query: { limit: 5, cursor: undefined, name: 'a&b', empty: '' } }),
    7,
  )
  const [login, change, list] = asked as [Asked, Asked, Asked]
  assert.equal(header(login, 'x-csrf-token'), null)
  assert.deepEqual([header(change, 'x-csrf-token'), header(change, 'if-match')], ['c1', '"3"'])
  assert.deepEqual([header(list, 'x-csrf-token'), list.url], [null, '/api/v1/users?limit=5&name=a%26b'])
  for (const each of asked) {
    assert.equal(header(each, 'authorization'), null)
    assert.equal(each.init.credentials, 'same-origin')
    assert.equal(each.init.redirect, 'error')
  }
})

test('401 ends the session, but not for a password that was wrong; asking who one is ends nothing', async () => {
  const { api, events } = serving(
    [401, refusal('AUTHORIZATION_MISSING')],
    [401, refusal('PASSWORD_WRONG')],
    [401, refusal('TOKEN_INVALID')],
  )
  assert.equal(await api.session(), undefined)
  await assert.rejects(api.request('PUT', '/users/self/password', { body: {} }), (error: ApiError) =>
    error.is('PASSWORD_WRONG'),
  )
  assert.deepEqual(events, [])
  await assert.rejects(api.request('GET', '/users'))
  assert.deepEqual(events, ['expired'])
})

test('after a login in another window: the same user goes on once, another one is told, and nothing is done in his name', async () => {
  const same = serving(
    [200, session('a', 'c1')],
    [403, refusal('CSRF_TOKEN_INVALID')],
    [200, session('a', 'c2')],
    [200, { success: true }],
  )
  await same.api.session()
  await same.api.request('POST', '/users', { body: {} })
  assert.equal(header(same.asked.at(-1) as Asked, 'x-csrf-token'), 'c2')
  assert.deepEqual(same.events, [])

  const other = serving([200, session('a', 'c1')], [403, refusal('CSRF_TOKEN_INVALID')], [200, session('b', 'c2')])
  await other.api.session()
  await assert.rejects(other.api.request('POST', '/users', { body: {} }))
  assert.deepEqual([other.asked.length, other.events], [3, ['other b']])

  const gone = serving([200, session('a', 'c1')], [403, refusal('CSRF_TOKEN_INVALID')], [401, refusal('TOKEN_INVALID')])
  await gone.api.session()
  await assert.rejects(gone.api.request('POST', '/users', { body: {} }))
  assert.deepEqual(gone.events, ['expired'])
})

test('nobody answers, or too late, or somebody else: each is told as what it is', async () => {
  const { api } = serving(undefined, [503, 'no healthy upstream'], [200, '<h1>portal'])
  const failed = async (method: 'GET' | 'POST'): Promise<ApiError> => {
    try {
      await api.request(method, '/x')
    } catch (error) {
      assert.ok(error instanceof ApiError)
      return error
    }
    return assert.fail()
  }
  const network = await failed('POST')
  assert.deepEqual(network.failure, { kind: 'network' })
  assert.match(tell(network).advice, /Nobody knows whether the change was made/)
  assert.deepEqual((await failed('GET')).failure, { kind: 'stranger', status: 503 })
  assert.deepEqual((await failed('GET')).failure, { kind: 'stranger', status: 200 })

  const slow = new Api({
    fetch: (_input, init) =>
      new Promise((_resolve, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))),
    onExpired: () => {},
    onOtherUser: () => {},
    timeoutMs: 1,
  })
  await assert.rejects(slow.request('GET', '/x'), (error: ApiError) => {
    assert.deepEqual(error.failure, { kind: 'timeout', seconds: 0.001 })
    assert.doesNotMatch(tell(error).advice, /Nobody knows/)
    return true
  })
})

test('a failure is read with what it says of itself, and nothing that is not so', () => {
  const failure = failureOf(
    429,
    { ...refusal('TOO_MANY_ATTEMPTS'), fields: [{ field: 'a', message: 'b' }, 'x', { field: 1 }] },
    '12',
  )
  assert.deepEqual(failure, {
    kind: 'answer',
    status: 429,
    code: 'TOO_MANY_ATTEMPTS',
    message: 'TOO_MANY_ATTEMPTS',
    fields: [{ field: 'a', message: 'b' }],
    retryAfterS: 12,
    requestId: 'r',
  })
  for (const body of [undefined, null, 'text', { code: 7 }, []])
    assert.deepEqual(failureOf(403, body, null), { kind: 'stranger', status: 403 })
  assert.equal(failureOf(503, refusal('UNAVAILABLE'), 'Wed, 21 Oct').kind, 'answer')
})
