import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { flowOf, nodeOf, sourceOf } from './flow.js'
import { readScenario, ScenarioError } from './load.js'
import { attemptText } from './render/words.js'
import type { Attempt } from './types.js'

/* What a thief has, and where he stands: passwords and tokens that are named and never written, many tries, a node. */

const scenario = (from: string, attempt: string): string => `id: a
title: t
story: s
kind: legitimate
from: ${from}
attempt: ${attempt}
expect: { walls: [], through: { status: 403 } }
notice: a record
`
const http = (more: string): string =>
  `{ kind: http, to: { service: gthulhu/gthulhu-manager }, port: 8080, http: { method: GET, path: / }, ${more} }`

const read = async (text: string): Promise<Attempt> =>
  (await readScenario(text, 'scenarios/a.yaml', '/nowhere')).attempt

const problemsOf = async (text: string): Promise<string> => {
  try {
    await read(text)
    return ''
  } catch (error) {
    assert.ok(error instanceof ScenarioError)
    return error.message
  }
}

const login = '{ secret: gthulhu/admin, userKey: username, passwordKey: password }'
const assertion =
  '{ key: { secret: gthulhu-node/key, key: private-key.pem }, audience: manager, subject: scheduler:a, issuer: i }'

describe('a stolen token', () => {
  const cases: readonly (readonly [string, Attempt['bearer']])[] = [
    [`{ login: ${login} }`, { login: { secret: 'gthulhu/admin', userKey: 'username', passwordKey: 'password' } }],
    ['{ serviceAccountOf: gthulhu/gthulhu-manager }', { serviceAccountOf: 'gthulhu/gthulhu-manager' }],
    [
      `{ assertion: ${assertion} }`,
      {
        assertion: {
          key: { secret: 'gthulhu-node/key', key: 'private-key.pem' },
          audience: 'manager',
          subject: 'scheduler:a',
          issuer: 'i',
        },
      },
    ],
  ]
  for (const [text, bearer] of cases) {
    it(`is named: ${text.slice(2, text.indexOf(':'))}`, async () => {
      assert.deepEqual((await read(scenario('gthulhu/intruder', http(`bearer: ${text}`)))).bearer, bearer)
    })
  }

  it('is never written, goes with requests alone, and is their one authorization', async () => {
    const wrong = [
      [http('bearer: { token: abc }'), '"attempt.bearer": must be one of {login: {secret, userKey, passwordKey}}'],
      [
        `{ kind: tcp, to: { service: a/b }, port: 1, bearer: { serviceAccountOf: a/b } }`,
        '"bearer" is for attempts of kind "http"; this one is "tcp"',
      ],
      [
        `{ kind: http, to: { service: a/b }, port: 1, bearer: { serviceAccountOf: a/b }, http: { method: GET, path: /, headers: { Authorization: x } } }`,
        '"bearer" is the authorization of the request',
      ],
    ] as const
    for (const [attempt, problem] of wrong) {
      const said = await problemsOf(scenario('gthulhu/intruder', attempt))
      assert.ok(said.includes(problem), said)
    }
  })

  it('changes nothing about the flow: no wall reads it', async () => {
    const attempt = await read(scenario('gthulhu/intruder', http(`bearer: { login: ${login} }, times: 9`)))
    assert.deepEqual(flowOf('gthulhu/intruder', attempt), {
      from: { workload: 'gthulhu/intruder' },
      to: { service: 'gthulhu/gthulhu-manager' },
      port: 8080,
      http: { method: 'GET', path: '/' },
    })
    assert.equal(
      attemptText({ from: 'gthulhu/intruder', attempt }),
      'gthulhu/intruder → gthulhu/gthulhu-manager:8080, with a token, 9 times',
    )
  })
})

describe('a login to MongoDB', () => {
  const mongo = '{ user: manager, database: manager, passwordFrom: { secret: gthulhu/m, key: password } }'
  const to = 'to: { service: gthulhu/gthulhu-mongodb }, port: 27017'

  it('names its user, its database and where the password is kept', async () => {
    const attempt = await read(scenario('gthulhu/intruder', `{ kind: mongo, ${to}, mongo: ${mongo} }`))
    assert.deepEqual(attempt.mongo, {
      user: 'manager',
      database: 'manager',
      passwordFrom: { secret: 'gthulhu/m', key: 'password' },
    })
    assert.equal(
      attemptText({ from: 'gthulhu/intruder', attempt }),
      'gthulhu/intruder → gthulhu/gthulhu-mongodb:27017, mongo login',
    )
  })

  it('is of its own kind, and holds no password', async () => {
    assert.match(
      await problemsOf(scenario('a/b', `{ kind: tcp, ${to}, mongo: ${mongo} }`)),
      /"mongo" is for attempts of kind "mongo"; this one is "tcp"/,
    )
    const written = mongo.replace('user:', 'password: x, user:')
    assert.match(
      await problemsOf(scenario('a/b', `{ kind: mongo, ${to}, mongo: ${written} }`)),
      /unknown field "password"/,
    )
  })
})

describe('many tries', () => {
  it('are from 1 to 100, of requests, and hold nothing open', async () => {
    assert.equal((await read(scenario('a/b', http('times: 100')))).times, 100)
    assert.match(await problemsOf(scenario('a/b', http('times: 101'))), /"attempt.times": Too big/)
    assert.match(await problemsOf(scenario('a/b', http('times: 2, hold: true'))), /"times" closes each connection/)
    const dns = '{ kind: dns, to: { service: a/b }, port: 53, dns: { query: a }, times: 2 }'
    assert.match(await problemsOf(scenario('a/b', dns)), /"times" is for attempts of kind "http"/)
  })
})

describe('a program of a node itself', () => {
  it('is a caller', async () => {
    const attempt = await read(scenario('node bulkhead-worker', http('times: 1')))
    assert.equal(nodeOf('node bulkhead-worker'), 'bulkhead-worker')
    assert.equal(nodeOf('shop/sleep'), undefined)
    assert.deepEqual(sourceOf('node bulkhead-worker'), { node: 'bulkhead-worker' })
    assert.equal(
      attemptText({ from: 'node bulkhead-worker', attempt }),
      'node bulkhead-worker → gthulhu/gthulhu-manager:8080',
    )
  })
})
