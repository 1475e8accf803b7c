// A waypoint with 50 rules in force against a bare reverse proxy (node:http and undici Pool.request, piping). Target: at
// least 0.6 of the bare proxy's requests/s at 64 connections.
//
//   node benchmarks/waypoint.mjs [--quick] [--profile]
//
// (a) is the bare proxy in the waypoint's place: the same client, a pod in the mesh; the same backend, another one; HBONE
// from the client to the proxy and from the proxy to the backend. The target is against this one. (b) is the same bare proxy
// on plain TCP, without a mesh, its own client and backend of the same make: what the whole of it costs.
//
// All stand all the time; they are loaded in turn, several rounds, and the ratio is taken round by round. Proxies and the
// mesh are on core 0, generators and backends on core 1, where there is taskset (Linux).
import { fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'

const QUICK = process.argv.includes('--quick')
const ROUNDS = QUICK ? 3 : 9
const SECONDS = QUICK ? 0.6 : 1.5
const CONNECTIONS = [1, 64]
const TARGET = 0.6

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

/** User and system time of these processes so far, in microseconds; NaN where /proc does not tell. */
function cpu(pids) {
  try {
    return pids.reduce((sum, pid) => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
      return sum + (Number(fields[11]) + Number(fields[12])) * 10_000 // ticks of 10 ms
    }, 0)
  } catch {
    return Number.NaN
  }
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

let failed = false
try {
  const upstream = await start(1, [file('gateway/upstream.mjs'), '0'])
  const bare = await start(0, [file('gateway/bare-proxy.mjs'), `http://127.0.0.1:${upstream.said.port}`])
  const mesh = await start(0, [file('waypoint/mesh.mjs'), ...(pinned ? ['--pinned'] : [])])
  const generator = fork(file('chain/load.mjs'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  children.push(generator)
  if (pinned) spawnSync('taskset', ['-a', '-c', '-p', '1', String(generator.pid)])
  const inMesh = (load) => mesh.child.send({ load })
  const sides = [
    {
      name: 'bare',
      label: '(a) bare proxy, in the mesh',
      url: 'http://proxy:8080',
      by: mesh.child,
      send: inMesh,
      pids: [mesh.child.pid, mesh.said.proxy],
    },
    {
      name: 'waypoint',
      label: 'waypoint, 50 rules',
      url: 'http://backend:8080',
      by: mesh.child,
      send: inMesh,
      pids: [mesh.child.pid],
    },
    {
      name: 'plain',
      label: '(b) bare proxy, plain TCP',
      url: `http://127.0.0.1:${bare.said.port}`,
      by: generator,
      send: (load) => generator.send(load),
      pids: [bare.child.pid],
    },
  ]
  const load = async ({ url, by, send, pids }, connections, seconds) => {
    const before = cpu(pids)
    send({ url, connections, seconds })
    const [result] = await once(by, 'message')
    if (result.errors > 0) throw new Error(`${result.errors} failed requests at ${url}`)
    return { ...result, rate: result.requests / result.seconds, cpu: (cpu(pids) - before) / result.requests }
  }

  const where = pinned ? 'proxies and mesh on core 0, generators and backends on core 1' : 'not pinned: no taskset here'
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
      const line = `${Math.round(of((r) => r.rate))}/s, p50 ${of((r) => r.p50).toFixed(2)} ms, p99 ${of((r) => r.p99).toFixed(2)} ms, ${of((r) => r.cpu).toFixed(0)} us CPU`
      console.log(`  ${label.padEnd(28)} ${line}`)
    }
    for (const against of ['bare', 'plain']) {
      const ratio = median(rounds.map((round) => round.waypoint.rate / round[against].rate))
      const byCpu = median(rounds.map((round) => round[against].cpu / round.waypoint.cpu))
      const below = against === 'bare' && connections === 64 && ratio < TARGET
      failed ||= below
      const which = against === 'bare' ? '(a)' : '(b)'
      console.log(
        `  waypoint: ${ratio.toFixed(2)} of ${which}${below ? ` (BELOW ${TARGET})` : ''}, by CPU ${byCpu.toFixed(2)}`,
      )
    }
  }
  if (process.argv.includes('--profile')) {
    mesh.child.send({ profile: true })
    await once(mesh.child, 'message')
    await load(sides[1], 64, 3)
    mesh.child.send({ profile: false })
    const [{ taken }] = await once(mesh.child, 'message')
    report(sides[1].label, taken)
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
