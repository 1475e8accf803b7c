import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError } from '@bulkhead/service-kit'
import { temporaryFolder } from '@bulkhead/testing'
import { readSchedulerConfig } from './config.js'
import { managerKey, schedulerKey } from './testing/scheduler.js'

const pem = String(schedulerKey.export({ type: 'pkcs8', format: 'pem' }))
const publicPem = String(createPublicKey(managerKey).export({ type: 'spki', format: 'pem' }))
const env = {
  NODE_NAME: 'node-1',
  POD_NAME: 'gthulhu-scheduler-x',
  SCHEDULER_KEY_RSA_PRIVATE_KEY_PEM: pem,
  SCHEDULER_MANAGER_PUBLIC_KEY_PEM: publicPem,
}

function problems(changed: Readonly<Record<string, string | undefined>>): readonly string[] {
  try {
    readSchedulerConfig({ ...env, ...changed })
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
  assert.fail('it was taken')
}

test('what is not set has a default, but for what only the pod knows, and the keys', () => {
  const { config } = readSchedulerConfig(env)
  assert.deepEqual(config.listen, { host: '0.0.0.0', port: 8080 })
  assert.equal(config.managerUrl.href, 'http://gthulhu-manager.gthulhu:8080/')
  assert.deepEqual([config.procRoot, config.machineId], ['/proc', undefined])
  assert.deepEqual(problems({ NODE_NAME: '', POD_NAME: undefined }), [
    "invalid env var NODE_NAME (it is not set; in the container's env, take it from the pod: valueFrom.fieldRef.fieldPath spec.nodeName)",
    "invalid env var POD_NAME (it is not set; in the container's env, take it from the pod: valueFrom.fieldRef.fieldPath metadata.name)",
  ])
})

test('a bad value is told by its name, and a key is not quoted', () => {
  for (const [changed, words] of [
    [{ NODE_NAME: 'Node|1' }, /NODE_NAME="Node\|1" \(it is no name of Kubernetes/],
    [{ PROC_ROOT: 'host/proc' }, /PROC_ROOT="host\/proc" \(it must be an absolute path\)/],
    [{ SCHEDULER_MANAGER_URL: 'gthulhu-manager:8080' }, /SCHEDULER_MANAGER_URL=.*http/],
    [{ SCHEDULER_SERVER_HOST: '8080' }, /SCHEDULER_SERVER_HOST="8080"/],
    [{ SCHEDULER_KEY_RSA_PRIVATE_KEY_PEM: publicPem }, /=\[redacted\] \(it must be a private key/],
    [{ SCHEDULER_MANAGER_PUBLIC_KEY_PEM: pem }, /=\[redacted\] \(it is a private key; give the public half alone/],
  ] as const) {
    const [problem = ''] = problems(changed)
    assert.match(problem, words)
    assert.doesNotMatch(problem, /BEGIN/)
  }
})

test('M20: one key pair for both sides is refused: who has one node would be the manager to all', () => {
  const own = String(createPublicKey(schedulerKey).export({ type: 'spki', format: 'pem' }))
  assert.match(
    problems({ SCHEDULER_MANAGER_PUBLIC_KEY_PEM: own })[0] ?? '',
    /the public half of the scheduler's own key/,
  )
})

test('keys may come from files, as Secrets are mounted', (t) => {
  const folder = temporaryFolder(t)
  const [own, manager] = [join(folder, 'own'), join(folder, 'manager')]
  writeFileSync(own, pem)
  writeFileSync(manager, publicPem)
  const { config, effective } = readSchedulerConfig({
    NODE_NAME: 'node-1',
    POD_NAME: 'p',
    SCHEDULER_KEY_RSA_PRIVATE_KEY_PEM_FILE: own,
    SCHEDULER_MANAGER_PUBLIC_KEY_PEM_FILE: manager,
  })
  assert.ok(config.key.equals(schedulerKey))
  assert.ok(config.managerKey.equals(createPublicKey(managerKey)))
  assert.doesNotMatch(JSON.stringify(effective), /BEGIN/)
  assert.deepEqual(
    problems({ SCHEDULER_KEY_RSA_PRIVATE_KEY_PEM: '', SCHEDULER_KEY_RSA_PRIVATE_KEY_PEM_FILE: '/none' }),
    ['invalid env var SCHEDULER_KEY_RSA_PRIVATE_KEY_PEM_FILE="/none" (it cannot be read: ENOENT)'],
  )
})
