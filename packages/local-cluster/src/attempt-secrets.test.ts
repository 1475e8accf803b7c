import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import type { Attempt, Observation } from '@bulkhead/scenarios'
import { compile } from '@bulkhead/verdict'
import { jwtVerify } from 'jose'
import { lootOf, type SecretsHost, withoutLoot } from './attempt-secrets.js'

const mesh: SecretsHost['mesh'] = {
  listening: () => [],
  dialAsKubelet: () => Promise.reject(new Error('nobody is dialled')),
}
const snapshot = compile([])

const postgres: Attempt = {
  kind: 'postgres',
  to: { service: 'demo/postgres' },
  port: 5432,
  postgres: { passwordFrom: { secret: 'demo/postgres-secret', key: 'password' } },
}
const mongo: Attempt = {
  kind: 'mongo',
  to: { service: 'gthulhu/gthulhu-mongodb' },
  port: 27017,
  mongo: {
    user: 'manager',
    database: 'manager',
    passwordFrom: { secret: 'gthulhu/gthulhu-manager-mongodb', key: 'password' },
  },
}
const get: Attempt = { kind: 'http', to: { service: 'a/b' }, port: 80, http: { method: 'GET', path: '/' } }

test('a login is given the value of the Secret and key that it names, and other attempts nothing', async () => {
  const asked: string[][] = []
  const secret = (...id: string[]): string => {
    asked.push(id)
    return `value ${asked.length}`
  }
  const host = { mesh, snapshot, secret }
  assert.deepEqual(await lootOf(postgres, host), { password: 'value 1' })
  assert.deepEqual(await lootOf(mongo, host), { password: 'value 2' })
  assert.deepEqual(asked, [
    ['demo', 'postgres-secret', 'password'],
    ['gthulhu', 'gthulhu-manager-mongodb', 'password'],
  ])
  const { postgres: _, ...startup } = postgres
  assert.deepEqual([await lootOf(startup, host), await lootOf(get, host)], [{}, {}])
  assert.equal(asked.length, 2)
})

test('one that names none that is there cannot be made', async () => {
  await assert.rejects(lootOf(postgres, { mesh, snapshot, secret: () => undefined }), {
    code: 'bad-attempt',
    message: /no Secret "demo\/postgres-secret" with a key "password" is in force here, so there is no password/,
  })
})

test('a stolen key signs for whom the attempt says, and only for some minutes', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const bearer = {
    assertion: {
      key: { secret: 'gthulhu-node/gthulhu-scheduler-key', key: 'private-key.pem' },
      audience: 'manager',
      subject: 'scheduler:bulkhead-worker',
      issuer: 'gthulhu-scheduler',
    },
  }
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const { token = '' } = await lootOf({ ...get, bearer }, { mesh, snapshot, secret: () => pem })
  const { payload, protectedHeader } = await jwtVerify(token, publicKey, {
    issuer: 'gthulhu-scheduler',
    audience: 'manager',
    subject: 'scheduler:bulkhead-worker',
    algorithms: ['RS256'],
  })
  assert.equal(protectedHeader.alg, 'RS256')
  assert.equal(Number(payload.exp) - Number(payload.iat), 300)
  assert.equal(typeof payload.jti, 'string')
})

test("a ServiceAccount's token is that of the workload's pod, and one that is not there cannot be stolen", async () => {
  const bearer = { serviceAccountOf: 'gthulhu/gthulhu-manager' }
  const serviceAccountToken = async (workload: string) => (workload === bearer.serviceAccountOf ? 'token' : undefined)
  assert.deepEqual(await lootOf({ ...get, bearer }, { mesh, snapshot, serviceAccountToken }), { token: 'token' })
  const none = { ...get, bearer: { serviceAccountOf: 'shop/sleep' } }
  await assert.rejects(lootOf(none, { mesh, snapshot, serviceAccountToken }), {
    code: 'bad-attempt',
    message: /no pod of "shop\/sleep" that is up here has a ServiceAccount's token/,
  })
})

test('what was stolen is in nothing that is reported, wherever an answer repeats it', () => {
  const seen: Observation = {
    symptom: 'ok',
    phase: 'answer',
    timings: {},
    bytes: 10,
    http: { status: 200, headers: { 'x-echo': 'Bearer s3cr3t' }, body: '{"you sent":"Bearer s3cr3t, s3cr3t"}' },
    error: { code: 'X', message: 'with s3cr3t and hunter2' },
    detail: { text: 'hunter2 it was', login: true, hello: { hosts: ['hunter2'] } },
  }
  const told = withoutLoot(seen, { token: 's3cr3t', password: 'hunter2' })
  assert.doesNotMatch(JSON.stringify(told), /s3cr3t|hunter2/)
  assert.equal(told.http?.body, '{"you sent":"Bearer [not shown], [not shown]"}')
  assert.deepEqual(told.detail, { text: '[not shown] it was', login: true, hello: { hosts: ['[not shown]'] } })
  assert.equal(withoutLoot(seen, {}), seen)
})
