// `bulkhead up` of all that is in k8s, warm, to all pods ready: how long it takes, and the memory of everything that it starts.
// Target: under 3 s. Five runs after one that warms the caches; the median is the figure.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

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
  return {
    kind: 'RSS',
    mib: Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024,
  }
}

/** Every process below it: a database's server has a dozen. */
function withChildren(pid) {
  const lines = execFileSync('ps', ['-axo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number))
  const of = (parent) => [parent, ...pairs.filter(([, one]) => one === parent).flatMap(([child]) => of(child))]
  return of(pid)
}

const times = []
let report
try {
  for (let run = 0; run < 6; run++) {
    const began = performance.now()
    report = JSON.parse(bulkhead('up', '--port', '0', '--json'))
    if (run > 0) times.push(performance.now() - began)
    if (run < 5) bulkhead('down')
  }
  // The chain has answered once, as in use.
  bulkhead('exec', 'shop/sleep', '--', process.execPath, '-e', 'fetch("http://web-api:8080/")')
  const processes = [
    ['supervisor (both nodes)', report.status.pid],
    ...report.status.workloads.flatMap(({ workload, pods }) =>
      pods.flatMap(({ containers }) => containers.map(({ pid }) => [workload, pid])),
    ),
  ]
  times.sort((a, b) => a - b)
  const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`
  console.log(
    `up to all ready, command included: median ${seconds(times[2])}, from ${seconds(times[0])} to ${seconds(times[4])} (target under 3 s)`,
  )
  let sum = 0
  let kind = ''
  for (const [name, pid] of processes) {
    // The supervisor's children are the pods, and have lines of their own.
    const all = (pid === report.status.pid ? [pid] : withChildren(pid)).map(memory)
    const mib = all.reduce((total, one) => total + one.mib, 0)
    sum += mib
    kind = all[0].kind
    const many = all.length === 1 ? '' : ` (${all.length} processes)`
    console.log(`  ${name.padEnd(26)} ${mib.toFixed(1).padStart(7)} MiB ${kind}${many}`)
  }
  console.log(`  ${'sum'.padEnd(26)} ${sum.toFixed(1).padStart(7)} MiB ${kind}`)
  if (times[2] >= 3000) process.exitCode = 1
} finally {
  bulkhead('down')
  rmSync(state, { recursive: true, force: true })
}
