import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../../../k8s/', import.meta.url))

/** What no manifest may have: a key, or a password that others know. */
const secret =
  /-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(changeme|your-password-here)\b|(PASSWORD|KEY_PEM)['"]?\s*\n?\s*value:/i

test('contract M20, M30: no key and no default password is committed: secrets are made where it is installed', () => {
  for (const bad of [
    '-----BEGIN RSA PRIVATE KEY-----',
    'password: changeme',
    '- name: MANAGER_MONGODB_PASSWORD\n  value: x',
  ])
    assert.match(bad, secret)
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const manager = files.filter(({ parentPath }) => parentPath.endsWith('workloads/gthulhu'))
  assert.ok(manager.length >= 5, 'the manager has its manifests there')
  for (const { parentPath, name } of files)
    assert.doesNotMatch(readFileSync(join(parentPath, name), 'utf8'), secret, join(parentPath, name))
  for (const { parentPath, name } of manager.filter((entry) => entry.name.endsWith('-secrets.yaml'))) {
    const text = readFileSync(join(parentPath, name), 'utf8')
    assert.match(text, /bulkhead\.dev\/generate/, name)
    // What is not secret may stand there: who it is.
    assert.doesNotMatch(text, /^data:|^stringData:\n(?! {2}username: \S+\n(?! {2}))/m, name)
  }
})
