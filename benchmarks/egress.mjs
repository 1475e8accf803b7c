// What the way out costs: connections with TLS to the stand-in for the outside, one after the other and some at a time, with a request
// each: direct (its unix socket), through the mesh where no rule reads (a pod that nothing isolates), and where the ClientHello
// is read and judged (toFQDNs and serverNames). All in one process but the clients. `node benchmarks/egress.mjs [--seconds 1]
// [--rounds 5]` after `npm run build`.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const self = fileURLToPath(import.meta.url)
const HOST = 'api.github.com'

if (process.env.BENCH_ROLE === 'client') client()
else await main()

/** Opens connections as it is told: `{path, connections, ms}` -> latencies in microseconds, sorted, from connect to the answer. */
function client() {
  process.on('message', async ({ path, connections, ms }) => {
    const { connect } = await import('node:tls')
    const one = () =>
      new Promise((resolve, reject) => {
        const started = process.hrtime.bigint()
        const where = path === undefined ? { host: HOST, port: 443 } : { path }
        const socket = connect({ ...where, servername: HOST }, () =>
          socket.write(`GET / HTTP/1.1\r\nhost: ${HOST}\r\nconnection: close\r\n\r\n`),
        )
        socket.once('data', () => {
          resolve(Number(process.hrtime.bigint() - started) / 1000)
          socket.destroy()
        })
        socket.once('error', reject)
      })
    const latencies = []
    const started = performance.now()
    const worker = async () => {
      while (performance.now() - started < ms) latencies.push(await one())
    }
    await Promise.all(Array.from({ length: connections }, worker))
    process.send({ latencies: latencies.sort((a, b) => a - b), elapsed: performance.now() - started })
  })
  process.on('disconnect', () => process.exit())
}

async function main() {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '1' }, rounds: { type: 'string', default: '5' } },
  })
  const [{ parseManifests }, { compile }, { createOutside, startMesh }] = await Promise.all(
    ['resources', 'verdict', 'mesh'].map((name) => import(`@bulkhead/${name}`)),
  )
  const resources = ['workloads', 'way-out'].flatMap((name) => {
    const file = fileURLToPath(new URL(`../packages/mesh/fixtures/shop/${name}.yaml`, import.meta.url))
    return parseManifests(readFileSync(file, 'utf8'), file).resources
  })
  const snapshot = compile(resources)
  const keyOf = (workload) => [...snapshot.pods.values()].find((pod) => pod.workload === workload).key
  const runDir = await mkdtemp(join(tmpdir(), 'bh-'))
  const outside = await createOutside({ mode: 'stand-in', runDir })
  const extraCa = join(runDir, 'ca.pem')
  await writeFile(extraCa, outside.root)
  // The stand-in opens its socket at the first dial.
  ;(await outside.dial({ ip: '198.51.100.10', port: 443 }, 'world')).destroy()
  const mesh = await startMesh({ runDir, snapshot, outside })
  for (const key of snapshot.pods.keys()) await mesh.addPod(key)
  const children = []
  const start = (env) => {
    const child = fork(self, { env: { ...process.env, ...env, NODE_EXTRA_CA_CERTS: extraCa, BENCH_ROLE: 'client' } })
    children.push(child)
    return child
  }
  try {
    const ways = [
      { name: 'direct, unix socket', child: start({}), path: join(runDir, 'o', 'web-tls.sock') },
      { name: 'mesh pod, nothing read', child: start(mesh.grant(keyOf('shop/notsleep')).env) },
      { name: 'mesh pod, name read', child: start(mesh.grant(keyOf('shop/sleep')).env) },
      { name: 'other pod, name read', child: start(mesh.grant(keyOf('shop/outsider')).env) },
    ]
    const ms = Number(values.seconds) * 1000
    for (const connections of [1, 16]) {
      for (const way of ways) await round(way, connections, 300)
      const results = new Map(ways.map(({ name }) => [name, []]))
      for (let turn = 0; turn < Number(values.rounds); turn += 1)
        for (const way of ways) results.get(way.name).push(await round(way, connections, ms))
      report(connections, results)
    }
  } finally {
    for (const child of children) child.disconnect()
    await mesh.close()
    await outside.close()
    await rm(runDir, { recursive: true, force: true })
  }
}

async function round({ child, path }, connections, ms) {
  const own = process.cpuUsage()
  child.send({ path, connections, ms })
  const [{ latencies, elapsed }] = await once(child, 'message')
  const { user, system } = process.cpuUsage(own)
  const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]
  return {
    perSecond: (latencies.length / elapsed) * 1000,
    p50: at(0.5),
    p99: at(0.99),
    cpu: (user + system) / latencies.length,
  }
}

function report(connections, results) {
  console.log(`\n${connections} at a time; medians of the rounds. CPU: of the mesh and the stand-in, one process`)
  console.log('                        connections/s   p50 us   p99 us   CPU us each   ratio of connections/s')
  let base
  for (const [name, rounds] of results) {
    const of = (field) => rounds.map((one) => one[field]).sort((a, b) => a - b)[Math.floor(rounds.length / 2)]
    base ??= of('perSecond')
    const cell = (number, width) => number.toFixed(0).padStart(width)
    console.log(
      `${name.padEnd(24)} ${cell(of('perSecond'), 12)} ${cell(of('p50'), 8)} ${cell(of('p99'), 8)} ${cell(of('cpu'), 13)} ${(of('perSecond') / base).toFixed(2).padStart(24)}`,
    )
  }
}
