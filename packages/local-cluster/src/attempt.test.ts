import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attempt } from '@bulkhead/scenarios'
import { passwordOf } from './attempt.js'

const login: Attempt = {
  kind: 'postgres',
  to: { service: 'demo/postgres' },
  port: 5432,
  postgres: { passwordFrom: { secret: 'demo/postgres-secret', key: 'password' } },
}

test('a login is given the value of the Secret and key that it names, and other attempts none', () => {
  const asked: string[][] = []
  const secret = (...id: string[]): string => {
    asked.push(id)
    return 'value'
  }
  assert.deepEqual(passwordOf(login, { secret }), { password: 'value' })
  assert.deepEqual(asked, [['demo', 'postgres-secret', 'password']])
  const { postgres: _, ...startup } = login
  assert.deepEqual(passwordOf(startup, { secret }), {})
  assert.equal(asked.length, 1)
})

test('one that names none that is there cannot be made', () => {
  assert.throws(() => passwordOf(login, { secret: () => undefined }), {
    code: 'bad-attempt',
    message: /no Secret "demo\/postgres-secret" with a key "password" is in force/,
  })
})
