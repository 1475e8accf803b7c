import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readSchedulerConfig } from './config.js'
import { managerKey, schedulerKey, startScheduler } from './testing/scheduler.js'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

const words: Readonly<Record<string, string>> = { manager: 'the manager', 'sched-ext': 'the sched_ext scheduler' }

interface Operation {
  readonly summary: string
  readonly security: readonly object[]
}

test('the README lists every route, whom it is for and what for, as the OpenAPI document has them', async (t) => {
  const { agent } = startScheduler(t)
  const { body } = await agent.get('/openapi.json')
  const paths = body.paths as Readonly<Record<string, Readonly<Record<string, Operation>>>>
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary, security }]) => {
      const [caller] = security.flatMap((one) => Object.keys(one))
      const what = summary.replace('This document', 'The OpenAPI document')
      return `| \`${method.toUpperCase()} ${path}\` | ${caller === undefined ? 'anybody' : words[caller]} | ${what} |`
    }),
  )
  const table = readme.slice(readme.indexOf('## Endpoints'), readme.indexOf('Answers have'))
  assert.deepEqual(
    table.split('\n').filter((line) => line.startsWith('| `')),
    rows,
  )
})

test('the README lists every variable with its default, and no other', () => {
  const keys: Readonly<Record<string, string>> = {
    SCHEDULER_KEY_RSA_PRIVATE_KEY_PEM: String(schedulerKey.export({ type: 'pkcs8', format: 'pem' })),
    SCHEDULER_MANAGER_PUBLIC_KEY_PEM: String(createPublicKey(managerKey).export({ type: 'spki', format: 'pem' })),
  }
  const names: Readonly<Record<string, string>> = { NODE_NAME: 'node', POD_NAME: 'pod' }
  const { effective } = readSchedulerConfig({ ...keys, ...names })
  const table = readme.slice(readme.indexOf('| variable |'), readme.indexOf('## Who may call it'))
  const rows = [...table.matchAll(/^\| `([A-Z0-9_]+)`( \*)? \|([^|]*)\|/gm)].map(
    ([, name = '', star, fallback = '']) => [name, fallback.replaceAll('`', '').trim(), star !== undefined] as const,
  )
  assert.deepEqual(
    rows.map(([name, fallback]) => [name, fallback]),
    Object.entries(effective).map(([name, value]) => [
      name,
      name in keys ? 'never shown' : name in names ? 'required' : String(value),
    ]),
  )
  for (const [name, , star] of rows) assert.equal(star, name in keys, name)
})
