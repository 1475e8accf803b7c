import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import path from 'node:path'
import { before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { inRoot } from '../lib/root.mjs'
import { cleanUp, wholeSuite } from '../lib/testing.mjs'
import { apps } from './apps.mjs'
import { assemble } from './assemble.mjs'
import { ownTarget } from './target.mjs'
import { compiled, containersOfOurs, everything, openFolder, Program, readable, somebodyElse } from './testing.mjs'

/*
 * What goes into each image, laid out on this machine by the script that the Dockerfile calls, and started as its
 * container would: by another user than the owner of the files, with nothing that could be written.
 */

const megabyte = 1_000_000
/** Of all that an image has beside Node and its base. */
const most = 40 * megabyte

const containers = await containersOfOurs()
const images = openFolder(wholeSuite())
const made = new Map()

before(() => {
  for (const app of Object.keys(apps)) {
    const out = path.join(images, app)
    made.set(app, { out, ...assemble(app, { source: inRoot(), out, target: ownTarget() }) })
  }
})

const inside = (app) => everything(made.get(app).out)

describe('what is in an image', () => {
  it('is an app for each image that the workloads name, and each of its programs', () => {
    assert.deepEqual([...new Set(containers.map(({ app }) => app))].sort(), Object.keys(apps).sort())
    for (const { app, command } of containers) {
      const started = command?.find((word) => word.startsWith('/app/'))?.slice('/app/'.length) ?? 'dist/main.js'
      assert.ok(apps[app].programs.includes(started), `${app} is started as ${started}`)
    }
  })

  for (const app of Object.keys(apps))
    it(`${app}: what runs, and nothing of tests, sources, maps, development or other apps`, (t) => {
      const all = inside(app)
      const names = all.filter(({ isFile }) => isFile).map(({ name }) => name)
      for (const program of apps[app].programs) assert.ok(names.includes(path.join('app', program)), program)
      assert.deepEqual(
        names.filter((name) =>
          /\.(map|[cm]?tsx?|tsbuildinfo|pem|key|env)$|\.(test|spec)\.|(^|\/)(testing|__tests__)\//.test(name),
        ),
        [],
      )
      const kinds = new Set(names.map((name) => path.extname(name)))
      for (const kind of ['.js', '.json']) assert.ok(kinds.has(kind), kind)
      const others = [
        'typescript',
        'turbo',
        'supertest',
        'fast-check',
        'playwright-core',
        'axe-core',
        '@bulkhead/pocket-mongo',
      ]
      for (const other of others)
        assert.ok(!names.some((name) => name.startsWith(path.join('app', 'node_modules', other, path.sep))), other)
      assert.deepEqual(
        made.get(app).workspaces.filter((folder) => folder.startsWith('apps/')),
        [`apps/${app}`],
      )

      const files = all.filter(({ isFile }) => isFile)
      const bytes = files.reduce((sum, { size }) => sum + size, 0)
      // A layer is a tar: a block for each name, and what each file has in whole blocks.
      const blocks = all.length + files.reduce((sum, { size }) => sum + Math.ceil(size / 512), 0)
      t.diagnostic(
        `${app}: ${(bytes / megabyte).toFixed(1)} MB in ${names.length} files, ${((blocks * 512) / megabyte).toFixed(1)} MB as a layer`,
      )
      assert.ok(blocks * 512 < most, `${app} adds ${blocks * 512} bytes to its base`)
      assert.ok(blocks * 512 > megabyte, 'something is counted')
    })

  it('may be changed by nobody, is files and folders alone, and says nothing of when it was made', () => {
    for (const app of Object.keys(apps))
      for (const { name, mode, mtimeMs, isFile, isFolder } of inside(app)) {
        assert.equal(mode & 0o222, 0, `${app}: ${name}`)
        assert.equal(mode & 0o444, 0o444, `${app}: ${name}`)
        assert.equal(mtimeMs, 0, `${app}: ${name}`)
        assert.ok(isFile || isFolder, `${app}: ${name}`)
      }
  })
})

const pem = (type) => generateKeyPairSync('rsa', { modulusLength: 2048 })[`${type}Key`]
const privatePem = () => pem('private').export({ type: 'pkcs8', format: 'pem' })
const publicPem = () => pem('public').export({ type: 'spki', format: 'pem' })

/** What a manifest takes from Secrets, from the pod, and from the network of a cluster, for each app. */
const given = {
  'chain-service': () => ({ LISTEN_ADDR: '127.0.0.1:0', UPSTREAM_URIS: '' }),
  'manifest-gen': () => ({ LISTEN_ADDR: '127.0.0.1:0' }),
  // Nothing listens there: its page says so, and it is healthy all the same.
  'hello-app': () => ({
    LISTEN_ADDR: '127.0.0.1:0',
    DB_HOST: '127.0.0.1',
    DB_PORT: '1',
    DB_USER: 'hello',
    DB_PASSWORD: 'x',
    DB_NAME: 'hello',
  }),
  scheduler: (_t, folder) => ({
    SCHEDULER_SERVER_HOST: '127.0.0.1:0',
    SCHEDULER_MANAGER_URL: 'http://127.0.0.1:1',
    NODE_NAME: 'bulkhead-worker',
    POD_NAME: 'gthulhu-scheduler-x',
    PROC_ROOT: '/proc',
    SCHEDULER_KEY_RSA_PRIVATE_KEY_PEM_FILE: readable(folder, 'private-key.pem', privatePem()),
    SCHEDULER_MANAGER_PUBLIC_KEY_PEM_FILE: readable(folder, 'public-key.pem', publicPem()),
  }),
  manager: async (t, folder) => {
    const { ROOT, testMongo } = await compiled('apps/manager/dist/testing/mongo.js')
    const { FakeApi } = await compiled('apps/manager/dist/kubernetes/testing/fake-api.js')
    const mongo = await testMongo(t, { initiated: false })
    const { access } = await FakeApi.start(t)
    const kubeConfig = {
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster: { server: access.server, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'test', user: { token: 'a-token' } }],
    }
    return {
      MANAGER_SERVER_HOST: '127.0.0.1:0',
      MANAGER_MONGODB_HOST: '127.0.0.1',
      MANAGER_MONGODB_PORT: String(mongo.port),
      MANAGER_MONGODB_USER: 'manager',
      MANAGER_MONGODB_PASSWORD_FILE: readable(folder, 'mongodb', 'the password of manager'),
      MANAGER_MONGODB_ROOT_USER: ROOT.user,
      MANAGER_MONGODB_ROOT_PASSWORD_FILE: readable(folder, 'root', ROOT.password),
      MANAGER_KEY_RSA_PRIVATE_KEY_PEM_FILE: readable(folder, 'private-key.pem', privatePem()),
      MANAGER_SCHEDULER_PUBLIC_KEY_PEM_FILE: readable(folder, 'public-key.pem', publicPem()),
      MANAGER_ACCOUNT_ADMIN_EMAIL: 'admin@example.com',
      MANAGER_ACCOUNT_ADMIN_PASSWORD_FILE: readable(folder, 'admin', 'the first password'),
      MANAGER_K8S_SERVICE_ACCOUNT_PATH: folder,
      MANAGER_K8S_IN_CLUSTER: 'false',
      MANAGER_K8S_KUBE_CONFIG_PATH: readable(folder, 'kubeconfig', JSON.stringify(kubeConfig)),
    }
  },
}

/** The environment that a manifest gives: its values as they stand, but for what is given here. */
function environment({ app, name, env }, own) {
  const values = env.map((one) => {
    const value = own[one.name] ?? one.value
    assert.ok(
      value !== undefined,
      `${app}'s manifest takes ${one.name} from somewhere, and nothing is given for it here`,
    )
    assert.ok(!/^\/etc\//.test(value), `${name}: ${one.name} is a file of a volume, and none is given for it here`)
    return [one.name, value]
  })
  return { ...own, ...Object.fromEntries(values), LOG_FORMAT: 'json', SHUTDOWN_DELAY: '10ms' }
}

const argvOf = ({ command, args = [] }) => [...(command?.slice(1) ?? ['/app/dist/main.js']), ...args]

describe('the program of an image, run by somebody else from files that nobody may change', { concurrency: 3 }, () => {
  for (const app of Object.keys(given))
    it(`${app}: answers what its manifest's probes ask, and ends when it is told to`, async (t) => {
      const image = made.get(app).out
      const own = await given[app](t, openFolder(t))
      const run = (container) =>
        new Program(t, image, argvOf(container), {
          env: environment(container, own),
          user: somebodyElse(container.user),
        })
      // A pod of MongoDB's copies its key with the manager's image: its Node alone, nothing of the app.
      const all = containers.filter((one) => one.app === app && argvOf(one)[0].startsWith('/app/'))
      // What a pod runs first: it has to be done before the rest begins.
      for (const first of all.filter(({ probes }) => probes.length === 0)) {
        const child = run(first)
        assert.equal(await child.ended, 0, child.said + child.errors)
      }
      const container = all.find(({ probes }) => probes.length > 0)
      const child = run(container)
      const port = await child.says(/"address":"127\.0\.0\.1:(\d+)"/)
      for (const probe of container.probes) {
        let status
        // As a kubelet does: again, until it is ready. The test's own time limit ends what never is.
        for (;;) {
          status = (await fetch(`http://127.0.0.1:${port}${probe}`)).status
          if (status !== 503 || child.process.exitCode !== null) break
          await wait(20)
        }
        assert.equal(status, 200, `${probe}\n${child.said}${child.errors}`)
      }
      child.process.kill('SIGTERM')
      assert.equal(await child.ended, 0, child.said + child.errors)
      assert.doesNotMatch(child.said + child.errors, /ERR_ACCESS_DENIED/)
    })

  it('probe: waits as its image says, ends when it is told to, and makes an attempt', async (t) => {
    const image = made.get('probe').out
    const { user: uid } = containers.find(({ app }) => app === 'probe')
    const user = somebodyElse(uid)
    const idle = new Program(t, image, ['/app/dist/main.js', 'idle'], { user })
    await idle.says(/idle/)
    idle.process.kill('SIGTERM')
    assert.equal(await idle.ended, 0)

    const server = createServer((_, response) => response.end('served'))
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanUp(t, () => server.close())
    const { port } = server.address()
    for (const [kind, seen] of [
      [{ kind: 'http', path: '/' }, /"body":"served"/],
      [{ kind: 'postgres' }, /"symptom":/],
      [{ kind: 'mongo' }, /"symptom":/],
    ]) {
      const input = JSON.stringify({ ...kind, to: { ip: '127.0.0.1' }, host: '127.0.0.1', port })
      const attempt = new Program(t, image, ['/app/dist/main.js', 'attempt'], { user, input })
      assert.equal(await attempt.ended, 0, attempt.errors)
      assert.match(attempt.said, seen)
    }
  })
})
