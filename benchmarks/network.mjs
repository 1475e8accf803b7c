// What a verdict through all layers costs, warm, and the full matrix of this project's manifests, with reasons, in a process
// that has never made one. Targets: 50 us, 50 ms.
// `node benchmarks/network.mjs` after `npm run build`; no network, no files but k8s/.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { matrix, matrixJson } from '@bulkhead/analysis'
import { loadManifests } from '@bulkhead/resources'
import { compile, judge, judgeAt } from '@bulkhead/verdict'

const self = fileURLToPath(import.meta.url)
const root = fileURLToPath(new URL('..', import.meta.url))
const processes = 9
const rounds = 21
const calls = 2000

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
const { resources } = await loadManifests([`${root}k8s/workloads`, `${root}k8s/layers`], { relativeTo: root })

/** Milliseconds. */
function timed(call) {
  const start = performance.now()
  call()
  return performance.now() - start
}

if (process.argv[2] === 'cold') {
  let snapshot
  const compiling = timed(() => {
    snapshot = compile(resources)
  })
  let cells = []
  // Every cell with its outcome, its symptom and the step that it rests on, by layer, policy, rule and line.
  const asking = timed(() => {
    cells = matrixJson(matrix(snapshot)).cells
  })
  const again = timed(() => matrixJson(matrix(snapshot)))
  console.log(JSON.stringify({ compile: compiling, matrix: asking, again, cells: cells.length }))
} else {
  const snapshot = compile(resources)
  const flow = (from, to, port, rest = {}) => ({ from: { workload: from }, to, port, ...rest })
  const door = [...snapshot.gateways.values()].find(({ key }) => key.startsWith('demo/'))
  const flows = {
    'hello-app to Postgres, allowed': flow('demo/hello-app', { service: 'demo/postgres' }, 5432),
    'intruder to Postgres, denied thrice': flow('demo/intruder', { service: 'demo/postgres' }, 5432),
    'hello-app to GitHub: DNS, FQDN and server name': flow('demo/hello-app', { host: 'api.github.com' }, 443),
    'hello-app to Cloudflare: stopped by its name': flow('demo/hello-app', { host: 'api.cloudflare.com' }, 443),
    'from outside through the gateway, two hops': {
      from: { external: '172.18.0.1' },
      to: { service: door.workload },
      port: door.listeners[0].port,
      http: { method: 'GET', path: '/' },
    },
  }
  console.log(`one flow through all layers, warm, medians of ${rounds} rounds of ${calls} calls; target 50 us`)
  for (const [name, one] of Object.entries(flows)) measure(name, () => judge(one, snapshot))
  const pod = (workload) => [...snapshot.pods.values()].find((candidate) => candidate.workload === workload)
  const [caller, called] = [pod('demo/hello-app'), pod('demo/postgres')]
  const tuple = { src: caller.ip, dst: called.ip, port: 15008, protocol: 'TCP' }
  measure('judgeAt cni-ingress, as the data plane asks', () =>
    judgeAt('cni-ingress', { pod: called, peer: caller, tuple }, snapshot),
  )
  const colds = Array.from({ length: processes }, () =>
    JSON.parse(execFileSync(process.execPath, [self, 'cold'], { encoding: 'utf8' })),
  )
  const of = (field) => median(colds.map((run) => run[field])).toFixed(1)
  const slowest = Math.max(...colds.map((run) => run.matrix)).toFixed(1)
  console.log(`\nthe full matrix of k8s/, ${colds[0].cells} flows with reasons, ${processes} processes; target 50 ms`)
  console.log(
    `  compile ${of('compile')} ms, first matrix ${of('matrix')} ms (slowest ${slowest}), second ${of('again')} ms`,
  )
}

function measure(name, call) {
  for (let i = 0; i < calls; i++) call()
  const times = Array.from({ length: rounds }, () => (timed(() => repeat(call)) * 1000) / calls)
  console.log(
    `  ${name.padEnd(50)} ${median(times).toFixed(2).padStart(7)} us   slowest round ${Math.max(...times).toFixed(2)}`,
  )
}

function repeat(call) {
  for (let i = 0; i < calls; i++) call()
}
