// pocket-mongo: insert, find by id and update, with the official driver in this process and the server in another: 1 and 16
// clients, on a folder with every acknowledged write synced, and in memory. The server's own time is told beside it: with
// one client the driver is most of what is measured.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startTestMongo } from '@bulkhead/pocket-mongo/testing'
import { Long, MongoClient } from 'mongodb'

const DOCUMENTS = 10_000
const MS = Number(process.env.BENCH_MS ?? 2_000)
const ROUNDS = 3
/** Until the server's code is compiled, it is the compiler that is measured. */
const WARM_UP = 3_000

if (process.argv[2] === 'server') await serve(process.argv[3])
else await measure()

/** The other process: tells its address, and its processor time when asked. */
async function serve(dataDir) {
  const { uri, close } = await startTestMongo(dataDir === undefined ? {} : { dataDir })
  process.on('message', async (what) => {
    if (what === 'cpu') process.send(process.cpuUsage())
    else {
      await close()
      process.disconnect()
    }
  })
  process.send(uri)
}

async function measure() {
  for (const durable of [true, false]) {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-bench-'))
    const server = fork(fileURLToPath(import.meta.url), durable ? ['server', join(folder, 'data')] : ['server'])
    const [uri] = await once(server, 'message')
    const client = new MongoClient(uri, { maxPoolSize: 16 })
    try {
      console.log(durable ? 'on a folder, every write synced' : 'in memory')
      await all(client.db('bench').collection('documents'), server)
    } finally {
      await client.close()
      server.send('end')
      await once(server, 'exit')
      rmSync(folder, { recursive: true, force: true })
    }
  }
  console.log(`load average ${loadavg()[0].toFixed(1)}`)
}

async function all(collection, server) {
  await collection.createIndex({ name: 1 })
  const document = (n) => ({
    name: `name ${n}`,
    n,
    at: Long.fromNumber(1_700_000_000_000 + n),
    labels: { app: 'web', tier: 'front' },
    list: [1, 2, 3],
  })
  await collection.insertMany(Array.from({ length: DOCUMENTS }, (_, n) => ({ _id: n, ...document(n) })))
  let next = DOCUMENTS
  const pick = () => Math.floor(Math.random() * DOCUMENTS)
  const works = {
    insert: () => collection.insertOne({ _id: next, ...document(next++) }),
    'find by id': () => collection.findOne({ _id: pick() }),
    'find by index': () => collection.findOne({ name: `name ${pick()}` }),
    update: () => collection.updateOne({ _id: pick() }, { $inc: { n: 1 }, $set: { by: 'bench' } }),
  }
  for (const work of Object.values(works))
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (let n = 0; n < WARM_UP / 16; n++) await work()
      }),
    )
  for (const clients of [1, 16]) {
    for (const [name, work] of Object.entries(works)) {
      const rounds = []
      for (let round = 0; round < ROUNDS; round++) rounds.push(await load(work, clients, server))
      rounds.sort((a, b) => a.perSecond - b.perSecond)
      const { perSecond, p50, p99, cpu } = rounds[Math.floor(ROUNDS / 2)]
      console.log(
        `  ${name.padEnd(14)} ${String(clients).padStart(2)} clients  ${perSecond.toFixed(0).padStart(6)}/s  p50 ${p50.toFixed(2)} ms  p99 ${p99.toFixed(2)} ms  server ${cpu.toFixed(0)} us each`,
      )
    }
  }
}

async function cpuOf(server) {
  server.send('cpu')
  const [{ user, system }] = await once(server, 'message')
  return user + system
}

async function load(work, clients, server) {
  const times = []
  const before = await cpuOf(server)
  const began = performance.now()
  const until = began + MS / ROUNDS
  const one = async () => {
    for (let at = performance.now(); at < until; ) {
      await work()
      const now = performance.now()
      times.push(now - at)
      at = now
    }
  }
  await Promise.all(Array.from({ length: clients }, one))
  const seconds = (performance.now() - began) / 1000
  const cpu = ((await cpuOf(server)) - before) / times.length
  times.sort((a, b) => a - b)
  const at = (part) => times[Math.floor(times.length * part)]
  return { perSecond: times.length / seconds, p50: at(0.5), p99: at(0.99), cpu }
}
