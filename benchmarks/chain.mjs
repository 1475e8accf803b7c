// chain-service, three hops, keep-alive, against the same three hops in bare node:http and undici Pool.
// Target: at least 0.7 of the bare chain's requests/s at 1, 16 and 64 connections.
//
//   node benchmarks/chain.mjs [--quick]
//
// Both chains stand all the time; they are loaded in turn, several rounds, and the ratio is taken round by round, so that
// whatever else the machine does hits both. On a busy machine the ratio by CPU time per request is the steadier one. All hops share one core, the generator has another, where there is taskset
// (Linux). Logs are on: JSON, and the text that is chain-service's default, into a file.
import { fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const QUICK = process.argv.includes('--quick')
const ROUNDS = QUICK ? 3 : 9
const SECONDS = QUICK ? 0.5 : 1.2
const CONNECTIONS = [1, 16, 64]
const TARGET = 0.7
const HOPS = [
  ['web-api', 'Hello From Web API'],
  ['recommendation', 'Hello From Recommendations!'],
  ['purchase-history-v1', 'Hello From Purchase History (v1)!'],
]

const file = (path) => fileURLToPath(new URL(path, import.meta.url))
const pinned = spawnSync('taskset', ['-c', '0,1', 'true']).status === 0
const logs = mkdtempSync(join(tmpdir(), 'bulkhead-bench-chain-'))
const children = []

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

function node(core, args, options) {
  const command = pinned ? ['taskset', '-c', String(core), process.execPath, ...args] : [process.execPath, ...args]
  const child = spawn(command[0], command.slice(1), options)
  children.push(child)
  return child
}

async function answers(url) {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; ) {
    const ok = await fetch(url).then(
      ({ status }) => status === 200,
      () => false,
    )
    if (ok) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`${url} does not answer`)
}

/** User and system time of these processes so far, in microseconds; undefined where /proc does not tell. */
function cpu(hops) {
  try {
    return hops.reduce((sum, { pid }) => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
      return sum + (Number(fields[11]) + Number(fields[12])) * 10_000 // ticks of 10 ms
    }, 0)
  } catch {
    return undefined
  }
}

/** Starts three hops, the last one first; gives their processes and the first one's URL. */
async function chain(kind, startHop) {
  const hops = []
  let upstream
  for (const [name, message] of [...HOPS].reverse()) {
    const port = await freePort()
    const stdio = ['ignore', openSync(join(logs, `${kind}-${name}.log`), 'w'), 'inherit']
    hops.push(startHop({ port, name, message, upstream, stdio }))
    upstream = `http://127.0.0.1:${port}`
    await answers(`${upstream}/`)
  }
  return { hops, url: upstream }
}

const chainService = (format) =>
  chain(format, ({ port, name, message, upstream, stdio }) =>
    node(0, [file('../apps/chain-service/dist/main.js')], {
      stdio,
      env: {
        LISTEN_ADDR: `127.0.0.1:${port}`,
        NAME: name,
        MESSAGE: message,
        UPSTREAM_URIS: upstream ?? '',
        HTTP_CLIENT_KEEP_ALIVES: 'true',
        LOG_FORMAT: format,
      },
    }),
  )

const bare = () =>
  chain('bare', ({ port, name, message, upstream, stdio }) => {
    const args = [file('chain/bare-hop.mjs'), String(port), name, message]
    return node(0, upstream === undefined ? args : [...args, upstream], { stdio })
  })

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

let failed = false
try {
  const sides = [
    ['bare', await bare()],
    ['json', await chainService('json')],
    ['text', await chainService('text')],
  ]
  const generator = fork(file('chain/load.mjs'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  children.push(generator)
  if (pinned) spawnSync('taskset', ['-a', '-c', '-p', '1', String(generator.pid)])
  const load = async ({ url, hops }, connections, seconds) => {
    const before = cpu(hops)
    generator.send({ url, connections, seconds })
    const [result] = await once(generator, 'message')
    if (result.errors > 0) throw new Error(`${result.errors} failed requests at ${url}`)
    return { ...result, rate: result.requests / result.seconds, cpu: (cpu(hops) - before) / result.requests }
  }

  console.log(
    `${ROUNDS} rounds of ${SECONDS} s per side, interleaved; ${pinned ? 'hops on core 0, generator on core 1' : 'not pinned: no taskset here'}`,
  )
  for (const [, side] of sides) await load(side, 16, QUICK ? 1 : 3) // the compiler's share
  for (const connections of CONNECTIONS) {
    const rounds = []
    for (let round = 0; round < ROUNDS; round++) {
      const results = {}
      // The order turns, so that none is always the one after a pause.
      for (let side = 0; side < sides.length; side++) {
        const [name, chain] = sides[(side + round) % sides.length]
        results[name] = await load(chain, connections, SECONDS)
      }
      rounds.push(results)
    }
    const of = (name, read) => median(rounds.map((round) => read(round[name])))
    const ratio = (name) => median(rounds.map((round) => round[name].rate / round.bare.rate))
    const cpuRatio = (name) => median(rounds.map((round) => round.bare.cpu / round[name].cpu))
    const line = (name) =>
      `${Math.round(of(name, (r) => r.rate))}/s, p50 ${of(name, (r) => r.p50).toFixed(2)} ms, p99 ${of(name, (r) => r.p99).toFixed(2)} ms, ${of(name, (r) => r.cpu).toFixed(0)} us CPU in all`
    console.log(`\n${connections} connection${connections === 1 ? '' : 's'}`)
    console.log(`  bare                  ${line('bare')}`)
    for (const name of ['json', 'text']) {
      const value = ratio(name)
      failed ||= value < TARGET
      console.log(
        `  chain-service, ${name}   ${line(name)}: ${value.toFixed(2)} of bare${value < TARGET ? ` (BELOW ${TARGET})` : ''}, by CPU ${cpuRatio(name).toFixed(2)}`,
      )
    }
  }
} finally {
  for (const child of children) child.kill('SIGKILL')
  rmSync(logs, { recursive: true, force: true })
}
process.exit(failed ? 1 : 0)
