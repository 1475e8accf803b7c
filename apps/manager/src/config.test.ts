import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, type RSAKeyPairOptions } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError } from '@bulkhead/service-kit'
import { temporaryFolder } from '@bulkhead/testing'
import { readManagerConfig, readMigrateConfig } from './config.js'

const pem = (modulusLength: number, type: 'pkcs1' | 'pkcs8'): string =>
  generateKeyPairSync('rsa', {
    modulusLength,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type, format: 'pem' },
  } as RSAKeyPairOptions<'pem', 'pem'>).privateKey

const key = pem(2048, 'pkcs8')
const least = {
  MANAGER_MONGODB_PASSWORD: 'p@ss/word:%41',
  MANAGER_KEY_RSA_PRIVATE_KEY_PEM: key,
  MANAGER_ACCOUNT_ADMIN_PASSWORD: 'long-enough-4-us',
}

function problemsOf(env: Record<string, string>, read: (env: Record<string, string>) => unknown = readManagerConfig) {
  try {
    read(env)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.problems
  }
  return []
}

test('what is not set is as the contract has it (1.12)', () => {
  const { config } = readManagerConfig(least)
  assert.deepEqual(config.listen, { host: '0.0.0.0', port: 8080 })
  assert.deepEqual(config.mongo, {
    host: 'mongodb',
    port: 27017,
    user: 'manager',
    password: 'p@ss/word:%41',
    database: 'manager',
    options: '',
  })
  assert.deepEqual(config.admin, { email: 'admin@example.com', password: 'long-enough-4-us' })
  assert.equal(config.kubernetes.inCluster, true)
  assert.deepEqual(config.proxies, { from: [], hops: 1 }, 'nobody is believed who he says he is')
})

test('the audit log is kept for 90 days, or as many as it is told, and never for none', () => {
  const day = 24 * 60 * 60 * 1_000
  assert.equal(readManagerConfig(least).config.audit.retentionMs, 90 * day)
  assert.equal(readManagerConfig({ ...least, MANAGER_AUDIT_RETENTION: '7' }).config.audit.retentionMs, 7 * day)
  for (const bad of ['0', '-1', '1.5', '3651', '90d'])
    assert.throws(() => readManagerConfig({ ...least, MANAGER_AUDIT_RETENTION: bad }), /MANAGER_AUDIT_RETENTION/, bad)
})

test('proxies are a list of addresses and blocks', () => {
  const { config } = readManagerConfig({
    ...least,
    MANAGER_SERVER_TRUSTED_PROXIES: ' 10.244.0.0/16, fd00::/8,192.0.2.1',
  })
  assert.deepEqual(config.proxies, { from: ['10.244.0.0/16', 'fd00::/8', '192.0.2.1'], hops: 1 })
})

test('no secret is in what is logged at the start, nor in what is said of a bad one', () => {
  const { effective } = readManagerConfig({ ...least, MANAGER_MONGODB_HOST: 'db' })
  assert.equal(effective.MANAGER_MONGODB_HOST, 'db')
  for (const secret of Object.values(least)) assert.ok(!JSON.stringify(effective).includes(secret.slice(0, 12)), secret)
  const said = problemsOf({
    ...least,
    MANAGER_KEY_RSA_PRIVATE_KEY_PEM: `${key.slice(0, 200)}x`,
    MANAGER_ACCOUNT_ADMIN_PASSWORD: 'short',
  })
  assert.equal(said.length, 2)
  assert.doesNotMatch(said.join(), /short|MII/)
})

test('every value that is wrong is named, all at once, with the reason', () => {
  assert.deepEqual(problemsOf({}), [
    'invalid env var MANAGER_MONGODB_PASSWORD (it is not set, and it has no default)',
    'invalid env var MANAGER_KEY_RSA_PRIVATE_KEY_PEM (it is not set, and it has no default)',
    'invalid env var MANAGER_ACCOUNT_ADMIN_PASSWORD (it is not set, and it has no default)',
  ])
  const wrong: readonly [Record<string, string>, RegExp][] = [
    [{ MANAGER_SERVER_HOST: '8080' }, /MANAGER_SERVER_HOST="8080" \(it must be host:port/],
    [{ MANAGER_SERVER_TRUSTED_PROXIES: '10.244.0.0/16,gateway' }, /"gateway" is neither an address nor a block/],
    [{ MANAGER_SERVER_TRUSTED_PROXIES: '0.0.0.0/0' }, /MANAGER_SERVER_TRUSTED_PROXIES="0.0.0.0\/0" .*invalid range/],
    [{ MANAGER_SERVER_TRUSTED_HOPS: '-1' }, /MANAGER_SERVER_TRUSTED_HOPS="-1"/],
    [{ MANAGER_MONGODB_PORT: 'x' }, /MANAGER_MONGODB_PORT="x"/],
    [{ MANAGER_MONGODB_DATABASE: 'admin' }, /one of MongoDB's own/],
    [{ MANAGER_MONGODB_DATABASE: 'a.b' }, /1 to 63 characters/],
    [{ MANAGER_MONGODB_USER: 'root' }, /a user of the manager's own/],
    [{ MANAGER_MONGODB_CA_PEM: 'ca' }, /certificates in PEM/],
    [{ MANAGER_KEY_RSA_PRIVATE_KEY_PEM: pem(1024, 'pkcs1') }, /at least 2048 bits, and has 1024/],
    [{ MANAGER_ACCOUNT_ADMIN_PASSWORD: 'your-password-here' }, /a password that examples have/],
    [{ MANAGER_ACCOUNT_ADMIN_PASSWORD: 'x'.repeat(257) }, /it must have 8 to 256 characters/],
    [{ MANAGER_ACCOUNT_ADMIN_EMAIL: `${'x'.repeat(128)}@` }, /it is no name of a user: Too big/],
    [{ MANAGER_ACCOUNT_ADMIN_EMAIL: ' admin' }, /it is no name of a user: .*begin or end with a blank/],
    [{ MANAGER_MONGODB_PASSWORD: 'changeme' }, /a password that examples have/],
    [{ MANAGER_K8S_IN_CLUSTER: 'false' }, /MANAGER_K8S_KUBE_CONFIG_PATH .*no way to the Kubernetes API/],
  ]
  for (const [change, expected] of wrong) {
    const said = problemsOf({ ...least, ...change })
    assert.equal(said.length, 1, JSON.stringify(change))
    assert.match(said[0] ?? '', expected)
  }
  assert.deepEqual(problemsOf({ ...least, MANAGER_KEY_RSA_PRIVATE_KEY_PEM: pem(2048, 'pkcs1') }), [])
})

test("a database's options are what the driver knows, except what is not to be set from outside", () => {
  const said = (options: string): string => problemsOf({ ...least, MANAGER_MONGODB_OPTIONS: options }).join()
  assert.equal(said('retryWrites=false&maxPoolSize=4'), '')
  assert.match(said('nosuch=1'), /the driver says: option nosuch is not supported/)
  assert.match(said('tlsAllowInvalidCertificates=true'), /"tlsAllowInvalidCertificates" is not to be set from outside/)
  assert.match(said('AuthSource=admin'), /"AuthSource" is not to be set/)
  assert.match(said('retryWrites=true#@evil/'), /as in the query of a URL|as the query of a URL/)
})

test('a secret may come from a file, and from one place only', (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'password')
  writeFileSync(file, 'from the file\n')
  const { MANAGER_MONGODB_PASSWORD: _, ...rest } = least
  assert.equal(
    readManagerConfig({ ...rest, MANAGER_MONGODB_PASSWORD_FILE: file }).config.mongo.password,
    'from the file',
  )
  assert.match(problemsOf({ ...least, MANAGER_MONGODB_PASSWORD_FILE: file }).join(), /is set too; set one of them/)
  assert.match(problemsOf({ ...rest, MANAGER_MONGODB_PASSWORD_FILE: `${file}s` }).join(), /cannot be read: ENOENT/)
})

test('the migrations ask for the root user, and for nothing of the service', () => {
  const { config } = readMigrateConfig({
    MANAGER_MONGODB_PASSWORD: 'of the service',
    MANAGER_MONGODB_ROOT_PASSWORD: 'of root',
  })
  assert.deepEqual(config.root, { user: 'root', password: 'of root' })
  assert.deepEqual([config.mongo.user, config.replicaSet, config.timeoutMs], ['manager', 'rs0', 120_000])
  assert.deepEqual(problemsOf({ MANAGER_MONGODB_PASSWORD: 'of the service' }, readMigrateConfig), [
    'invalid env var MANAGER_MONGODB_ROOT_PASSWORD (it is not set, and it has no default)',
  ])
})

test('the schedulers’ key: public alone, of its own, or absent; and reconciliation has a least interval', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const spki = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const given = readManagerConfig({ ...least, MANAGER_SCHEDULER_PUBLIC_KEY_PEM: spki }).config
  assert.ok(given.schedulerKey?.equals(publicKey))
  const absent = readManagerConfig(least).config
  assert.deepEqual([absent.schedulerKey, absent.reconcile.intervalMs], [undefined, 30_000])
  assert.deepEqual(absent.schedulers, { namespace: 'gthulhu-node', serviceAccount: 'gthulhu' })
  const own = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
  const wrong: readonly (readonly [Record<string, string>, RegExp])[] = [
    [
      { MANAGER_SCHEDULER_PUBLIC_KEY_PEM: 'x' },
      /MANAGER_SCHEDULER_PUBLIC_KEY_PEM=\[redacted\] \(it must be a public key/,
    ],
    [
      { MANAGER_SCHEDULER_PUBLIC_KEY_PEM: own },
      /is the public half of the manager's own key: every scheduler could sign/,
    ],
    [{ MANAGER_RECONCILE_INTERVAL: '10ms' }, /MANAGER_RECONCILE_INTERVAL="10ms" \(it must be at least 1s\)/],
  ]
  for (const [env, said] of wrong) assert.match(problemsOf({ ...least, ...env }).join(), said)
  const secret = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const [problem = ''] = problemsOf({ ...least, MANAGER_SCHEDULER_PUBLIC_KEY_PEM: secret })
  assert.match(problem, /it is a private key/)
  assert.ok(!problem.includes(secret.slice(40, 80)), 'and is not shown')
})
