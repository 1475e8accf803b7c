// hello-app's GET /api/status, its last round of checks still fresh, against a bare node:http server that answers the same JSON.
// Target: at least 0.7 of the bare server's requests/s, both writing a line per request.
//
//   node benchmarks/hello-app.mjs [--quick]
//
// All servers stand all the time; they are loaded in turn, several rounds, and the ratio is taken round by round, so that whatever
// else the machine does hits all. The servers share one core, the generator has another, where there is taskset (Linux). Logs go to
// files. Both are there twice, with and without a line per request.
import { fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const QUICK = process.argv.includes('--quick')
const ROUNDS = QUICK ? 5 : 9
const SECONDS = QUICK ? 0.6 : 1.2
const CONNECTIONS = [1, 16, 64]
const TARGET = 0.7
const PATH = '/api/status'

const file = (path) => fileURLToPath(new URL(path, import.meta.url))
const pinned = spawnSync('taskset', ['-c', '0,1', 'true']).status === 0
const folder = mkdtempSync(join(tmpdir(), 'bulkhead-bench-hello-'))
const children = []

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function answers(url) {
  for (const deadline = performance.now() + 15_000; performance.now() < deadline; ) {
    const answer = await fetch(url).then(
      (response) => (response.status === 200 ? response.text() : undefined),
      () => undefined,
    )
    if (answer !== undefined) return answer
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`${url} does not answer`)
}

/** A server on a free port of 127.0.0.1, its log in a file; and what it answers. */
async function server(name, startOf) {
  const port = await freePort()
  const { args, env = {} } = startOf(port)
  const command = [...(pinned ? ['taskset', '-c', '0'] : []), process.execPath, ...args]
  const stdio = ['ignore', openSync(join(folder, `${name}.log`), 'w'), 'inherit']
  const child = spawn(command[0], command.slice(1), { stdio, env: { PATH: process.env.PATH, ...env } })
  children.push(child)
  return { name, port, pid: child.pid, body: await answers(`http://127.0.0.1:${port}${PATH}`) }
}

/** User and system time of a process so far, in microseconds; NaN where /proc does not tell. */
function cpu({ pid }) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10_000 // ticks of 10 ms
  } catch {
    return Number.NaN
  }
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

let failed = false
try {
  const app = (name, env) =>
    server(name, (port) => ({
      args: [file('../apps/hello-app/dist/main.js')],
      // Nothing listens at port 1: the answer is the same from the first round of checks on.
      env: { LISTEN_ADDR: `127.0.0.1:${port}`, DB_HOST: '127.0.0.1', DB_PORT: '1', CHECK_CACHE: '5m', ...env },
    }))
  const hello = await app('hello-app', {})
  const answer = join(folder, 'answer.json')
  writeFileSync(answer, hello.body)
  const bare = (name, ...more) =>
    server(name, (port) => ({ args: [file('hello-app/bare.mjs'), String(port), answer, ...more] }))
  const sides = [
    hello,
    await bare('bare', 'log'),
    await app('hello-app, no log', { LOG_LEVEL: 'warn' }),
    await bare('bare, no log'),
  ]

  const generator = fork(file('hello-app/load.mjs'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  children.push(generator)
  if (pinned) spawnSync('taskset', ['-a', '-c', '-p', '1', String(generator.pid)])
  const load = async (side, connections, seconds) => {
    const before = cpu(side)
    generator.send({ port: side.port, path: PATH, connections, seconds })
    const [result] = await once(generator, 'message')
    return { ...result, rate: result.requests / result.seconds, cpu: (cpu(side) - before) / result.requests }
  }

  console.log(
    `${hello.body.length} bytes of JSON; ${ROUNDS} rounds of ${SECONDS} s per side, interleaved; ${pinned ? 'servers on core 0, generator on core 1' : 'not pinned: no taskset here'}`,
  )
  for (const side of sides) await load(side, 16, QUICK ? 1 : 3) // the compiler's share
  for (const connections of CONNECTIONS) {
    const rounds = []
    for (let round = 0; round < ROUNDS; round++) {
      const results = {}
      // The order turns, so that none is always the one after a pause.
      for (let index = 0; index < sides.length; index++) {
        const side = sides[(index + round) % sides.length]
        results[side.name] = await load(side, connections, SECONDS)
      }
      rounds.push(results)
    }
    const of = (name, read) => median(rounds.map((round) => read(round[name])))
    console.log(`\n${connections} connection${connections === 1 ? '' : 's'}`)
    for (const { name } of sides) {
      console.log(
        `  ${name.padEnd(18)} ${Math.round(of(name, (r) => r.rate))}/s, p50 ${of(name, (r) => r.p50).toFixed(2)} ms, p99 ${of(name, (r) => r.p99).toFixed(2)} ms, ${of(name, (r) => r.cpu).toFixed(0)} us CPU`,
      )
    }
    for (const [name, baseline] of [
      ['hello-app', 'bare'],
      ['hello-app, no log', 'bare, no log'],
      ['hello-app', 'bare, no log'],
    ]) {
      const ratio = median(rounds.map((round) => round[name].rate / round[baseline].rate))
      const byCpu = median(rounds.map((round) => round[baseline].cpu / round[name].cpu))
      const below = baseline === 'bare' && ratio < TARGET
      failed ||= below
      console.log(
        `  ${name} of ${baseline}: ${ratio.toFixed(2)}${below ? ` (BELOW ${TARGET})` : ''}, by CPU ${byCpu.toFixed(2)}`,
      )
    }
  }
} finally {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}
process.exit(failed ? 1 : 0)
