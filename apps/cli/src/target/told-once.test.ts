import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { cleanUp, plainFolder } from '@bulkhead/testing'
import { bulkhead } from './testing.js'

const manifests = `
apiVersion: v1
kind: Namespace
metadata: { name: gthulhu, labels: { istio.io/dataplane-mode: ambient } }
---
apiVersion: v1
kind: Secret
metadata:
  name: admin
  namespace: gthulhu
  annotations: { bulkhead.dev/generate: password, bulkhead.dev/tell-once: "username, password" }
stringData: { username: admin@example.com }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: reader, namespace: gthulhu }
spec:
  selector: { matchLabels: { app: reader } }
  template:
    metadata: { labels: { app: reader } }
    spec:
      containers:
        - name: probe
          image: localhost/bulkhead/probe:0.1.0
          env: [{ name: PASSWORD, valueFrom: { secretKeyRef: { name: admin, key: password } } }]
`

/** Every file under the folder, by its path. */
function filesIn(folder: string): ReadonlyMap<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name))
  return new Map(names.filter((name) => statSync(name).isFile()).map((name) => [name, readFileSync(name, 'utf8')]))
}

test('a first password is shown to whoever starts the target first, and kept in one file alone', async (t) => {
  const folder = plainFolder(t)
  const k8s = path.join(folder, 'k8s')
  const stateDir = path.join(folder, 'state')
  const state = ['--state', stateDir]
  mkdirSync(k8s)
  writeFileSync(path.join(k8s, 'all.yaml'), manifests)
  const up = (...more: readonly string[]) =>
    bulkhead('up', '--manifests', k8s, ...state, '--port', '0', '--connect-timeout', '200', ...more)
  cleanUp(t, () => bulkhead('down', ...state))

  const first = await up()
  assert.equal(first.code, 0, first.stderr)
  const [, username, password = ''] =
    /\nMade at this start, and shown this once: gthulhu\/admin\n {2}username {2}(\S+)\n {2}password {2}(\S+)\n/.exec(
      first.stdout,
    ) ?? assert.fail(first.stdout)
  assert.equal(username, 'admin@example.com')
  assert.match(password, /^[A-Za-z0-9]{32}$/)
  const [, file = ''] = /To read it again: cat (\S+)/.exec(first.stdout) ?? []
  const kept = path.resolve(file)
  assert.deepEqual(JSON.parse(readFileSync(kept, 'utf8')), { password })
  assert.equal(statSync(kept).mode & 0o777, 0o600)

  const others = [await bulkhead('status', ...state, '--json'), await bulkhead('logs', ...state, 'gthulhu/reader')]
  for (const { code, stdout, stderr } of others) {
    assert.equal(code, 0, stderr)
    assert.ok(!`${stdout}${stderr}`.includes(password))
  }
  const holding = [...filesIn(stateDir)].filter(([, text]) => text.includes(password)).map(([name]) => name)
  assert.deepEqual(holding, [kept])

  await bulkhead('down', ...state)
  const second = await up()
  assert.equal(second.code, 0, second.stderr)
  assert.ok(!`${second.stdout}${second.stderr}`.includes(password))
  assert.doesNotMatch(second.stdout, /shown this once/)
  await bulkhead('down', ...state)

  const forPrograms = await up('--fresh', '--json')
  const renewed = (JSON.parse(readFileSync(kept, 'utf8')) as { readonly password: string }).password
  assert.notEqual(renewed, password)
  assert.ok(!`${forPrograms.stdout}${forPrograms.stderr}`.includes(renewed))
  assert.match(forPrograms.stderr, /values for Secret gthulhu\/admin were made; to read them: cat /)
})
