// The manager: a page of 50 strategies, and a strategy made, at 16 connections, against an Express route that makes the same driver calls and
// nothing else. Target: at least 0.6 of its requests per second. `--quick` for fewer rounds; `--profile` also says where the time goes.
//
// The database has a process of its own, and so has each side; both stand all the time and are loaded in turn, so that whatever else the
// machine does hits both. Where there is taskset (Linux) the two sides have one core, and the database and the generator the other.
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'

const QUICK = process.argv.includes('--quick')
const ROUNDS = QUICK ? 3 : 9
const SECONDS = QUICK ? 1 : 2
const CONNECTIONS = 16
/** Who makes strategies, in turn: one user has 1,000 at the most. */
const PLANNERS = 8
const WORKLOADS = 2_000
const TARGET = 0.6

const pinned = spawnSync('taskset', ['-c', '0,1', 'true']).status === 0
const pin = (pid, core) => pinned && spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)])
const children = []

async function start(name, core, message) {
  const child = fork(fileURLToPath(new URL(`manager/${name}.mjs`, import.meta.url)), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  children.push(child)
  pin(child.pid, core)
  if (message !== undefined) child.send(message)
  const [told] = await once(child, 'message')
  return { child, ...told }
}

async function ask(child, what) {
  child.send(what)
  const [answer] = await once(child, 'message')
  return answer
}

function call(agent, url, { method, path, token, body }) {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    }
    const outgoing = request(`${url}${path}`, { agent, method, headers }, (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () =>
        response.statusCode < 300
          ? resolve()
          : reject(new Error(`${method} ${path}: ${response.statusCode} ${Buffer.concat(chunks)}`)),
      )
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

const works = {
  'list, a page of 50': (token) => ({ method: 'GET', path: '/api/v1/strategies/self', token }),
  create: (tokens, n) => ({
    method: 'POST',
    path: '/api/v1/strategies',
    token: tokens[n % tokens.length],
    body: JSON.stringify({ labelSelectors: [{ key: 'app', value: `app-${n % WORKLOADS}` }] }),
  }),
}

const plannersOf = async ({ child }) => {
  const tokens = []
  while (tokens.length < PLANNERS) tokens.push((await ask(child, 'planner')).token)
  return tokens
}

let made = 0
let database

/** Requests per second, p50 and p99 in ms, and the processor time per request in us: the side's, and the database's. */
async function load({ child, url, token }, work, seconds) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const times = []
  const [before, databaseBefore] = await Promise.all([ask(child, 'cpu'), ask(database, 'cpu')])
  const started = performance.now()
  const until = started + seconds * 1_000
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (let now = performance.now(); now < until; ) {
        await call(agent, url, work(token, made++))
        const end = performance.now()
        times.push(end - now)
        now = end
      }
    }),
  )
  const took = (performance.now() - started) / 1_000
  const [after, databaseAfter] = await Promise.all([ask(child, 'cpu'), ask(database, 'cpu')])
  const each = (from, to) => (to.user + to.system - from.user - from.system) / times.length
  agent.destroy()
  times.sort((a, b) => a - b)
  return {
    rate: times.length / took,
    p50: times[times.length >> 1],
    p99: times[Math.floor(times.length * 0.99)],
    cpu: each(before, after),
    database: each(databaseBefore, databaseAfter),
  }
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]
const line = ({ rate, p50, p99, cpu, database: of }) =>
  `${rate.toFixed(0).padStart(5)}/s  p50 ${p50.toFixed(1).padStart(5)} ms  p99 ${p99.toFixed(1).padStart(5)} ms  ${cpu.toFixed(0).padStart(5)} us, database ${of.toFixed(0).padStart(5)} us`

let failed = false
try {
  pin(process.pid, 1)
  const { child: mongod, ...mongo } = await start('mongo', 1)
  database = mongod
  const sides = { bare: await start('bare', 0, mongo), manager: await start('service', 0, mongo) }
  const reader = {}
  for (const [name, side] of Object.entries(sides)) {
    const { token } = await ask(side.child, 'planner')
    reader[name] = token
    const agent = new Agent({ keepAlive: true })
    for (let n = 0; n < 60; n++) await call(agent, side.url, works.create([token], n))
    agent.destroy()
  }
  console.log(
    `${CONNECTIONS} connections, ${ROUNDS} rounds of ${SECONDS} s per side, interleaved; ${pinned ? 'the sides on core 0, database and generator on core 1' : 'not pinned: no taskset here'}`,
  )
  for (const [what, work] of Object.entries(works)) {
    const rounds = { bare: [], manager: [] }
    for (let round = -1; round < ROUNDS; round++) {
      const order = round % 2 === 0 ? ['bare', 'manager'] : ['manager', 'bare']
      for (const name of order) {
        // Who makes strategies is somebody new each time, so that the reader's page stays what it is.
        const token = what === 'create' ? await plannersOf(sides[name]) : reader[name]
        const result = await load({ ...sides[name], token }, work, SECONDS)
        if (round >= 0) rounds[name].push(result) // the first one is the compiler's
      }
    }
    for (const [name, results] of Object.entries(rounds)) {
      const each = (field) => median(results.map((result) => result[field]))
      console.log(
        `${what.padEnd(20)} ${name.padEnd(8)} ${line(Object.fromEntries(['rate', 'p50', 'p99', 'cpu', 'database'].map((field) => [field, each(field)])))}`,
      )
    }
    const ratio = median(rounds.manager.map(({ rate }, round) => rate / rounds.bare[round].rate))
    const byCpu = median(rounds.manager.map(({ cpu }, round) => rounds.bare[round].cpu / cpu))
    console.log(
      `${what.padEnd(20)} ratio    ${ratio.toFixed(2)} of the requests, ${byCpu.toFixed(2)} by processor time`,
    )
    failed ||= ratio < TARGET
  }
  if (process.argv.includes('--profile')) {
    const { child, url } = sides.manager
    for (const [what, work] of Object.entries(works)) {
      const token = what === 'create' ? await plannersOf(sides.manager) : reader.manager
      await ask(child, 'profile')
      await load({ child, url, token }, work, SECONDS)
      const shares = await ask(child, 'profile')
      console.log(
        `${what}: ${shares
          .slice(0, 10)
          .map(({ owner, share }) => `${owner} ${(share * 100).toFixed(0)}%`)
          .join(', ')}`,
      )
    }
  }
  console.log(`load average ${loadavg()[0].toFixed(1)}`)
  for (const { child } of [sides.manager, sides.bare]) child.send('end')
  await Promise.all([once(sides.manager.child, 'exit'), once(sides.bare.child, 'exit')])
  database.send('end')
  await once(database, 'exit')
} finally {
  for (const child of children) child.kill('SIGKILL')
}
if (failed) {
  console.log(`less than ${TARGET}`)
  process.exitCode = 1
}
