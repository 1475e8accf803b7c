import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { readManagerConfig, readMigrateConfig } from './config.js'
import { startManager } from './testing/index.js'

const file = new URL('../README.md', import.meta.url)
const head = '| | who may | |\n|---|---|---|\n'

interface Operation {
  readonly summary: string
  readonly security?: readonly object[]
  readonly description?: string
}

function row(method: string, path: string, { summary, security, description = '' }: Operation): string {
  const [, permission] = /permission `([^`]+)`/.exec(description) ?? []
  const others = /`scheduler`/.test(description) ? 'the node’s scheduler' : 'whoever is logged in'
  const who = security?.length === 0 ? 'anybody' : permission === undefined ? others : `\`${permission}\``
  return `| \`${method.toUpperCase()} ${path}\` | ${who} | ${summary.replace(/^This document/, 'The OpenAPI document').replace(/\.$/, '')} |\n`
}

test('the README lists every route, who may call it and what for, as the OpenAPI document has them', async (t) => {
  const manager = await startManager(t)
  const { body } = await manager.agent.get('/openapi.json')
  const paths = body.paths as Readonly<Record<string, Readonly<Record<string, Operation>>>>
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => row(method, path, operation)),
  )
  assert.ok(rows.length > 25)
  const readme = readFileSync(file, 'utf8')
  const start = readme.indexOf(head) + head.length
  const end = readme.indexOf('\n\n', start - 1) + 1
  if (process.env.BULKHEAD_UPDATE === '1')
    writeFileSync(file, readme.slice(0, start) + rows.join('') + readme.slice(end))
  else assert.equal(readme.slice(start, end), rows.join(''))
})

test('the README lists every variable with its default, and no other', () => {
  const pair = () =>
    generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
  const { privateKey } = pair()
  const ofSchedulers = pair()
  const secrets: Readonly<Record<string, string>> = {
    MANAGER_MONGODB_PASSWORD: 'of the service',
    MANAGER_KEY_RSA_PRIVATE_KEY_PEM: privateKey,
    MANAGER_ACCOUNT_ADMIN_PASSWORD: 'of the first account',
    MANAGER_SCHEDULER_PUBLIC_KEY_PEM: ofSchedulers.publicKey,
    MANAGER_MONGODB_ROOT_PASSWORD: 'of the root',
  }
  const effective = { ...readMigrateConfig(secrets).effective, ...readManagerConfig(secrets).effective }
  const readme = readFileSync(file, 'utf8')
  const table = readme.slice(readme.indexOf('| variable |'), readme.indexOf('## Who may call it'))
  const rows = [...table.matchAll(/^\| `([A-Z0-9_]+)`( \*)? \|([^|]*)\|/gm)].map(
    ([, name = '', star, fallback = '']) => [name, fallback.replaceAll('`', '').trim(), star !== undefined] as const,
  )
  const shown = Object.entries(effective).map(([name, value]) => [
    name,
    name in secrets ? 'never shown' : String(value),
  ])
  assert.deepEqual(Object.fromEntries(rows.map(([name, fallback]) => [name, fallback])), Object.fromEntries(shown))
  assert.equal(rows.length, shown.length)

  for (const [name, , byFile] of rows) {
    const told = problemsOf({ ...secrets, [`${name}_FILE`]: '/no/such/file', [name]: '' })
    assert.equal(told.includes(`${name}_FILE`), byFile, name)
  }
})

/** What both programs say is wrong. */
function problemsOf(env: Readonly<Record<string, string>>): string {
  return [readManagerConfig, readMigrateConfig]
    .map((read) => {
      try {
        read(env)
        return ''
      } catch (error) {
        return String(error)
      }
    })
    .join('\n')
}
