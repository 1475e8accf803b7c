// `bulkhead up` of all that is in k8s, warm, to all pods ready: how long it takes, and the memory of everything that it starts,
// by process. Targets: under 6 s, and under 900 MiB in sum. One run warms the caches; of those after it the median is the figure.
//
// Usage: node benchmarks/start.mjs [--runs N] (default 5)
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const MOST_MS = 6000
const MOST_MIB = 900

const { values } = parseArgs({ options: { runs: { type: 'string', default: '5' } } })
const runs = Number(values.runs)
if (!Number.isInteger(runs) || runs < 1)
  throw new Error(`--runs is ${JSON.stringify(values.runs)}; it has to be 1 or more`)

const bin = fileURLToPath(new URL('../apps/cli/bin/bulkhead.js', import.meta.url))
const root = fileURLToPath(new URL('..', import.meta.url))
const state = mkdtempSync(join(tmpdir(), 'bulkhead-bench-'))
const bulkhead = (command, ...args) =>
  execFileSync(process.execPath, [bin, command, '--state', state, ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })

/** Proportional set size in MiB, where Linux tells it; elsewhere the resident set, which counts shared pages in full. */
function memory(pid) {
  try {
    const pss = /^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
    if (pss !== null) return { kind: 'PSS', mib: Number(pss[1]) / 1024 }
  } catch {
    // Not Linux.
  }
  const rss = execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })
  return { kind: 'RSS', mib: Number(rss) / 1024 }
}

/** Seconds of processor that a process has used so far, where Linux tells it. */
function processor(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return 0
  }
}

/** Every process below it: a database's server has some. */
function withChildren(pid) {
  const lines = execFileSync('ps', ['-axo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number))
  const of = (parent) => [parent, ...pairs.filter(([, one]) => one === parent).flatMap(([child]) => of(child))]
  return of(pid)
}

const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`
const line = (what, mib, more = '') => console.log(`  ${what.padEnd(64)} ${mib.toFixed(1).padStart(7)} MiB${more}`)

/** A line for each container's processes, the largest first, and the sum of all. */
function tellMemory({ pid, workloads }) {
  const containers = workloads.flatMap(({ pods }) =>
    pods.flatMap(({ pod, containers }) =>
      containers.filter(({ pid }) => pid !== undefined).map(({ name, pid }) => [`${pod} ${name}`, withChildren(pid)]),
    ),
  )
  // The supervisor's children are the pods, and have lines of their own.
  const rows = [['supervisor: both nodes, gateways, waypoints, API', [pid]], ...containers].map(([name, pids]) => {
    const all = pids.map(memory)
    const cpu = pids.reduce((sum, pid) => sum + processor(pid), 0)
    return { name, many: all.length, kind: all[0].kind, mib: all.reduce((sum, one) => sum + one.mib, 0), cpu }
  })
  const sum = rows.reduce((total, { mib }) => total + mib, 0)
  console.log(`memory, ${rows[0].kind}:`)
  for (const { name, many, mib, cpu } of rows.sort((a, b) => b.mib - a.mib))
    line(name, mib, `, ${cpu.toFixed(2)} s CPU${many === 1 ? '' : `, ${many} processes`}`)
  const cpu = rows.reduce((total, row) => total + row.cpu, 0)
  line(`sum (target under ${MOST_MIB} MiB)`, sum, `, ${cpu.toFixed(1)} s CPU, init containers not counted`)
  return sum
}

const times = []
let report
try {
  bulkhead('up', '--port', '0', '--json')
  for (let run = 0; run < runs; run++) {
    bulkhead('down')
    const began = performance.now()
    report = JSON.parse(bulkhead('up', '--port', '0', '--json'))
    times.push(performance.now() - began)
  }
  times.sort((a, b) => a - b)
  const median = times[Math.floor((runs - 1) / 2)]
  const pods = report.status.workloads.reduce((sum, { of }) => sum + of, 0)
  console.log(
    `up to all of ${pods} pods ready, command included, ${runs} runs: median ${seconds(median)}, from ${seconds(times[0])} to ${seconds(times.at(-1))} (target under ${seconds(MOST_MS)}); load average ${loadavg()[0].toFixed(1)}`,
  )
  // The chain has answered once, as in use.
  bulkhead('exec', 'shop/sleep', '--', process.execPath, '-e', 'fetch("http://web-api:8080/")')
  const sum = tellMemory(report.status)
  if (median >= MOST_MS || sum >= MOST_MIB) process.exitCode = 1
} finally {
  bulkhead('down')
  rmSync(state, { recursive: true, force: true })
}
