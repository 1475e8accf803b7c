// A gateway against a bare reverse proxy (node:http and undici Pool.request, piping), each with the same server behind it.
// Target: at least 0.7 of the bare proxy's requests/s at 64 connections, with the upstream in plaintext. Over HBONE there is
// more to do (mutual TLS, HTTP/2, and the far side's proxy, which is in the same process), so that is told beside it.
//
//   node benchmarks/gateway.mjs [--quick] [--profile]
//
// Both stand all the time; they are loaded in turn, several rounds, and the ratio is taken round by round. The proxies are
// on core 0, the generator and the servers behind on core 1, where there is taskset (Linux).
import { fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'

const QUICK = process.argv.includes('--quick')
const ROUNDS = QUICK ? 3 : 9
const SECONDS = QUICK ? 0.6 : 1.5
const CONNECTIONS = [1, 64]
const TARGET = 0.7

const file = (path) => fileURLToPath(new URL(path, import.meta.url))
const pinned = spawnSync('taskset', ['-c', '0,1', 'true']).status === 0
const children = []

async function start(core, args) {
  const command = pinned ? ['taskset', '-c', String(core), process.execPath, ...args] : [process.execPath, ...args]
  const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  children.push(child)
  const [said] = await once(child, 'message')
  return { child, said }
}

/** User and system time of that process so far, in microseconds; NaN where /proc does not tell. */
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
  const upstream = await start(1, [file('gateway/upstream.mjs'), '0'])
  const bare = await start(0, [file('gateway/bare-proxy.mjs'), `http://127.0.0.1:${upstream.said.port}`])
  const mesh = await start(0, [file('gateway/mesh.mjs'), ...(pinned ? ['--pinned'] : [])])
  const sides = [
    { name: 'bare', label: 'bare proxy', ...bare, port: bare.said.port },
    { name: 'plain', label: '(a) gateway, upstream in plaintext', ...mesh, port: mesh.said.outside },
    { name: 'hbone', label: '(b) gateway, upstream over HBONE', ...mesh, port: mesh.said.inside },
  ]
  const generator = fork(file('chain/load.mjs'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  children.push(generator)
  if (pinned) spawnSync('taskset', ['-a', '-c', '-p', '1', String(generator.pid)])
  const load = async ({ port, child }, connections, seconds) => {
    const before = cpu(child)
    generator.send({ url: `http://127.0.0.1:${port}`, connections, seconds })
    const [result] = await once(generator, 'message')
    if (result.errors > 0) throw new Error(`${result.errors} failed requests at port ${port}`)
    return { ...result, rate: result.requests / result.seconds, cpu: (cpu(child) - before) / result.requests }
  }

  const where = pinned ? 'proxies on core 0, generator and servers on core 1' : 'not pinned: no taskset here'
  console.log(
    `${ROUNDS} rounds of ${SECONDS} s per side, interleaved; ${where}; load average ${loadavg()[0].toFixed(1)}`,
  )
  for (const side of sides) await load(side, 64, QUICK ? 1 : 3) // the compiler's share
  for (const connections of CONNECTIONS) {
    const rounds = []
    for (let round = 0; round < ROUNDS; round++) {
      const results = {}
      // The order turns, so that none is always the one after a pause.
      for (let side = 0; side < sides.length; side++) {
        const turn = sides[(side + round) % sides.length]
        results[turn.name] = await load(turn, connections, SECONDS)
      }
      rounds.push(results)
    }
    console.log(`\n${connections} connection${connections === 1 ? '' : 's'}`)
    for (const { name, label } of sides) {
      const of = (read) => median(rounds.map((round) => read(round[name])))
      const ratio = median(rounds.map((round) => round[name].rate / round.bare.rate))
      const byCpu = median(rounds.map((round) => round.bare.cpu / round[name].cpu))
      const below = name === 'plain' && connections === 64 && ratio < TARGET
      failed ||= below
      const line = `${Math.round(of((r) => r.rate))}/s, p50 ${of((r) => r.p50).toFixed(2)} ms, p99 ${of((r) => r.p99).toFixed(2)} ms, ${of((r) => r.cpu).toFixed(0)} us CPU`
      const told =
        name === 'bare'
          ? ''
          : `: ${ratio.toFixed(2)} of bare${below ? ` (BELOW ${TARGET})` : ''}, by CPU ${byCpu.toFixed(2)}`
      console.log(`  ${label.padEnd(35)} ${line}${told}`)
    }
  }
  if (process.argv.includes('--profile'))
    for (const side of sides.slice(1)) {
      mesh.child.send({ profile: true })
      await once(mesh.child, 'message')
      await load(side, 64, 3)
      mesh.child.send({ profile: false })
      const [{ taken }] = await once(mesh.child, 'message')
      report(side.label, taken)
    }
} finally {
  for (const child of children) if (child.connected) child.disconnect()
}
process.exitCode = failed ? 1 : 0

/** Where the time went, by function. */
function report(label, { nodes, timeDeltas, samples }) {
  const own = new Map()
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]))
  let all = 0
  samples.forEach((id, index) => {
    const { functionName, url, lineNumber } = byId.get(id)
    const name = `${functionName || '(anonymous)'} ${url.replace(/^.*\/(?=[^/]+\/[^/]+$)/, '')}:${lineNumber + 1}`
    own.set(name, (own.get(name) ?? 0) + timeDeltas[index])
    all += timeDeltas[index]
  })
  console.log(`\n${label}: own time by function`)
  const sorted = [...own].sort(([, a], [, b]) => b - a).slice(0, 40)
  for (const [name, time] of sorted) console.log(`  ${((100 * time) / all).toFixed(1).padStart(5)} %  ${name}`)
}
