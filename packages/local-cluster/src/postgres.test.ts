import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cleanUp, eventually, killed, type Scope, temporaryFolder } from '@bulkhead/testing'
import { LocalCluster } from './cluster.js'
import type { ProgressEvent } from './cluster-types.js'
import { alive, processStamp } from './processes.js'

/** As `k8s` has it: a claim, a Secret that asks for its password, and somebody who calls. */
const manifests = `
apiVersion: v1
kind: Namespace
metadata: { name: demo, labels: { istio.io/dataplane-mode: ambient } }
---
apiVersion: v1
kind: Secret
metadata: { name: postgres-secret, namespace: demo, annotations: { bulkhead.dev/generate: password } }
stringData: { username: hello, database: hellodb }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: postgres-data, namespace: demo }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: postgres, namespace: demo }
---
apiVersion: v1
kind: Service
metadata: { name: postgres, namespace: demo }
spec: { selector: { app: postgres }, ports: [{ port: 5432 }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: postgres, namespace: demo }
spec:
  serviceName: postgres
  selector: { matchLabels: { app: postgres } }
  template:
    metadata: { labels: { app: postgres } }
    spec:
      serviceAccountName: postgres
      containers:
        - name: postgres
          image: docker.io/library/postgres:18.6
          terminationMessagePolicy: FallbackToLogsOnError
          env:
            - { name: POSTGRES_USER, valueFrom: { secretKeyRef: { name: postgres-secret, key: username } } }
            - { name: POSTGRES_PASSWORD, valueFrom: { secretKeyRef: { name: postgres-secret, key: password } } }
            - { name: POSTGRES_DB, valueFrom: { secretKeyRef: { name: postgres-secret, key: database } } }
          ports: [{ containerPort: 5432 }]
          readinessProbe: { tcpSocket: { port: 5432 }, periodSeconds: 1 }
          volumeMounts: [{ name: data, mountPath: /var/lib/postgresql }]
      volumes: [{ name: data, persistentVolumeClaim: { claimName: postgres-data } }]
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: client, namespace: demo }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: client, namespace: demo }
spec:
  selector: { matchLabels: { app: client } }
  template:
    metadata: { labels: { app: client } }
    spec:
      serviceAccountName: client
      containers:
        - name: client
          image: localhost/bulkhead/probe:0.1.0
          env:
            - { name: PGPASSWORD, valueFrom: { secretKeyRef: { name: postgres-secret, key: password } } }
            - { name: PGUSER, valueFrom: { secretKeyRef: { name: postgres-secret, key: username } } }
            - { name: PGDATABASE, valueFrom: { secretKeyRef: { name: postgres-secret, key: database } } }
            - { name: PGHOST, value: postgres }
            - { name: PGSSLMODE, value: disable }
`

function places(t: Scope) {
  const folder = temporaryFolder(t)
  const files = join(folder, 'manifests')
  mkdirSync(files)
  writeFileSync(join(files, 'demo.yaml'), manifests)
  return { manifests: [files], relativeTo: files, stateDir: join(folder, 'state') }
}

async function up(t: TestContext, options: Parameters<typeof LocalCluster.start>[0]): Promise<LocalCluster> {
  const cluster = await LocalCluster.start(options)
  cleanUp(t, () => cluster.stop({ graceMs: 5000 }))
  assert.deepEqual(await cluster.whenReady(20_000), [], log(cluster))
  return cluster
}

const log = (cluster: LocalCluster): string => readFileSync(cluster.logs('demo/postgres')[0]?.file ?? '', 'utf8')
const here = fileURLToPath(new URL('..', import.meta.url))

/** What `pg` says in the client's pod, as JSON: rows, or the error's code. */
async function query(
  cluster: LocalCluster,
  text: string,
  more: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const code = `
    const pg = require('pg')
    const client = new pg.Client()
    client.on('error', () => {})
    client.connect().then(() => client.query({ text: process.argv[1], rowMode: 'array' })).then(
      ({ rows }) => rows, (error) => error.code ?? error.message,
    ).then((said) => { console.log(JSON.stringify(said)); return client.end() })`
  const { env, revoke } = cluster.exec('demo/client')
  try {
    const options = { cwd: here, env: { ...env, ...more }, timeout: 20_000 }
    return JSON.parse((await promisify(execFile)(process.execPath, ['-e', code, text], options)).stdout)
  } finally {
    revoke()
  }
}

/** The process number of the server that runs on the claim. */
function serverOf(stateDir: string): number {
  const data = join(stateDir, 'data/demo/postgres-data/18/docker')
  return Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0])
}

test('a client of the mesh is asked for its password, and what it has stored is there in the next run, until --fresh', async (t) => {
  const place = places(t)
  const first = await up(t, place)
  const password = first.secretValue('demo', 'postgres-secret', 'password') ?? ''
  assert.match(password, /^[\w-]{32}$/)
  assert.deepEqual(await query(first, 'select current_user, current_database()'), [['hello', 'hellodb']])
  assert.equal(await query(first, 'select 1', { PGPASSWORD: 'guess' }), '28P01')
  assert.equal(await query(first, 'select 1', { PGUSER: 'postgres' }), '28P01')
  await query(first, 'create table kept as select 42 as n')
  assert.match(log(first), /database system is ready/)
  // In no answer of the target, and in no log.
  const told = JSON.stringify([first.status(), first.objects(), first.flows(), first.standing()])
  assert.ok(told.includes('postgres-secret') && !told.includes(password) && !told.includes('hellodb'))
  assert.ok(!log(first).includes(password))
  const pid = serverOf(place.stateDir)
  const { file = '' } = first.logs('demo/postgres')[0] ?? {}
  const began = performance.now()
  await first.stop()
  assert.ok(performance.now() - began < 5000)
  assert.equal(processStamp(pid), undefined)
  assert.match(readFileSync(file, 'utf8'), /database system is shut down/)

  const second = await up(t, place)
  assert.equal(second.secretValue('demo', 'postgres-secret', 'password'), password)
  assert.deepEqual(await query(second, 'select n from kept'), [[42]])
  await second.stop()

  const third = await up(t, { ...place, fresh: true })
  assert.equal(await query(third, 'select n from kept'), '42P01')
  assert.notEqual(third.secretValue('demo', 'postgres-secret', 'password'), password)
})

test('a program that is killed in the middle of a query leaves no server, and comes back with what was stored', async (t) => {
  const place = places(t)
  const cluster = await up(t, place)
  await query(cluster, 'create table kept (n int)')
  for (let round = 1; round <= 2; round++) {
    await query(cluster, `insert into kept values (${round})`)
    const busy = query(cluster, 'select count(*) from generate_series(1, 1e12)')
    const active =
      "select count(*)::int from pg_stat_activity where query like '%generate_series(1, 1e12)' and state = 'active'"
    await eventually('the query runs', async () => JSON.stringify(await query(cluster, active)) === '[[1]]')
    const pids = (await query(cluster, 'select pid from pg_stat_activity')) as number[][]
    const left = [...pids.flat(), serverOf(place.stateDir)].map((pid) => ({ pid, stamp: processStamp(pid) ?? '' }))
    assert.ok(left.filter(alive).length > 4)
    const container = () => podsOf(cluster, 'demo/postgres')[0]
    process.kill(container()?.pid ?? 0, 'SIGKILL')
    await busy
    await eventually('no process of it is left', () => !left.some(alive))
    await eventually('it answers again', async () => Array.isArray(await query(cluster, 'select 1')), 15_000)
    assert.equal(container()?.restarts, round)
    assert.deepEqual(await query(cluster, 'select max(n) from kept'), [[round]])
  }
})

test('a supervisor that is killed leaves no server; the next one has what was stored', async (t) => {
  const place = places(t)
  const text = `
    import { LocalCluster } from ${JSON.stringify(new URL('./index.js', import.meta.url).href)}
    const cluster = await LocalCluster.start(${JSON.stringify(place)})
    console.log(JSON.stringify(await cluster.whenReady(20000)))`
  const supervisor = spawn(process.execPath, ['--input-type=module', '-e', text], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  cleanUp(t, () => killed(supervisor))
  const [said] = (await once(supervisor.stdout, 'data')) as [Buffer]
  assert.equal(String(said).trim(), '[]')
  const pid = serverOf(place.stateDir)
  assert.notEqual(processStamp(pid), undefined)
  // The server may be gone before its supervisor is, and as long as that one is there the state folder is its own.
  const ended = once(supervisor, 'exit')
  supervisor.kill('SIGKILL')
  await ended
  await eventually('the server is gone', () => processStamp(pid) === undefined)
  const cluster = await up(t, place)
  assert.deepEqual(await query(cluster, 'select 1'), [[1]])
  assert.equal(statSync(join(place.stateDir, 'data/demo')).mode & 0o777, 0o700)
})

test('a Secret that was lost is told at the start and in the log; data of another version in the status, and nothing else fails', async (t) => {
  const place = places(t)
  const first = await up(t, place)
  await first.stop()
  rmSync(join(place.stateDir, 'secrets'), { recursive: true })
  const notes: string[] = []
  const progress = (event: ProgressEvent) => void (event.kind === 'note' && notes.push(event.text))
  const second = await up(t, { ...place, progress })
  assert.match(notes.join('\n'), /values for Secret demo\/postgres-secret were made anew.*postgres-data.*up --fresh/)
  await eventually('its log says why', () =>
    /^postgres: the data in .* knows another password.*--fresh/m.test(log(second)),
  )
  assert.equal(await query(second, 'select 1'), '28P01')
  await second.stop()

  writeFileSync(join(place.stateDir, 'data/demo/postgres-data/18/docker/PG_VERSION'), '17\n')
  const third = await LocalCluster.start(place)
  cleanUp(t, () => third.stop({ graceMs: 5000 }))
  assert.deepEqual(await third.whenReady(20_000), ['demo/postgres-0'])
  const [container] = podsOf(third, 'demo/postgres')
  assert.match(container?.lastExit ?? '', /^exit code 1: postgres: ".*" holds data of PostgreSQL 17, .*up --fresh/)
  assert.equal(await query(third, 'select 1'), 'ECONNRESET')
  await third.stop()
  const fourth = await up(t, { ...place, fresh: true })
  assert.deepEqual(await query(fourth, 'select 1'), [[1]])
})

const podsOf = (cluster: LocalCluster, name: string) =>
  cluster
    .status()
    .workloads.find(({ workload }) => workload === name)
    ?.pods.flatMap(({ containers }) => containers) ?? []
