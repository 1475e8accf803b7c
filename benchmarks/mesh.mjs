// What the local mesh costs per hop: an HTTP GET with keep-alive, direct (over TCP loopback, and over a unix socket, as
// captured processes have it), through capture alone (a caller outside the mesh), and through the mesh (capture, HBONE over mutual TLS, policy). Same generator, same server,
// interleaved rounds. `node benchmarks/mesh.mjs [--seconds 1] [--rounds 5] [--profile]` after `npm run build`.
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { Session } from 'node:inspector/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const self = fileURLToPath(import.meta.url)
const role = process.env.BENCH_ROLE

if (role === 'server') await serve()
else if (role === 'generator') generate()
else await main()

/** Answers every request with 711 bytes of JSON. */
async function serve() {
  const { createServer } = await import('node:http')
  const body = JSON.stringify({ name: 'web-api', filler: 'x'.repeat(681) })
  const headers = { 'content-type': 'application/json', 'content-length': body.length }
  const server = createServer((_request, response) => response.writeHead(200, headers).end(body))
  const port = process.env.BENCH_PORT
  // In a pod the port is the pod's; the direct one's is the machine's, and stays on loopback.
  const where = port.startsWith('/')
    ? { path: port }
    : { port: Number(port), host: port === '0' ? '127.0.0.1' : '0.0.0.0' }
  server.listen(where, () => process.send({ port: server.address().port }))
  process.on('message', () => process.send({ cpu: process.cpuUsage() }))
  process.on('disconnect', () => process.exit())
}

/** Runs rounds as it is told: `{url, connections, ms}` -> latencies in microseconds, sorted, and its own CPU time. */
function generate() {
  const agents = new Map()
  process.on('message', async ({ url, socketPath, connections, ms }) => {
    const { Agent, get } = await import('node:http')
    const key = `${url} ${socketPath} ${connections}`
    if (!agents.has(key)) agents.set(key, new Agent({ keepAlive: true, maxSockets: connections }))
    const agent = agents.get(key)
    const one = () =>
      new Promise((resolve, reject) => {
        const started = process.hrtime.bigint()
        get(url, { agent, socketPath }, (response) => {
          response.resume().once('end', () => resolve(Number(process.hrtime.bigint() - started) / 1000))
        }).once('error', reject)
      })
    const latencies = []
    const cpu = process.cpuUsage()
    const started = performance.now()
    const worker = async () => {
      while (performance.now() - started < ms) latencies.push(await one())
    }
    await Promise.all(Array.from({ length: connections }, worker))
    const elapsed = performance.now() - started
    process.send({ latencies: latencies.sort((a, b) => a - b), elapsed, cpu: process.cpuUsage(cpu) })
  })
  process.on('disconnect', () => process.exit())
  process.send({ ready: true })
}

async function main() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '5' },
      profile: { type: 'boolean', default: false },
    },
  })
  const [{ parseManifests }, { compile }, { startMesh }] = await Promise.all(
    ['resources', 'verdict', 'mesh'].map((name) => import(`@bulkhead/${name}`)),
  )
  const fixture = (name) => {
    const file = fileURLToPath(new URL(`../packages/mesh/fixtures/shop/${name}.yaml`, import.meta.url))
    return parseManifests(readFileSync(file, 'utf8'), file).resources
  }
  // STRICT would refuse the caller outside the mesh, so only the identity policy's workloads are judged here.
  const snapshot = compile(fixture('workloads'))
  const pod = (workload) => [...snapshot.pods.values()].find((candidate) => candidate.workload === workload)
  const runDir = await mkdtemp(join(tmpdir(), 'bh-'))
  const mesh = await startMesh({ runDir, snapshot })
  for (const key of snapshot.pods.keys()) await mesh.addPod(key)
  const children = []

  try {
    const start = async (asRole, core, env = {}) => {
      const child = fork(self, { env: { ...process.env, ...env, BENCH_ROLE: asRole } })
      children.push(child)
      pin(child.pid, core)
      const [said] = await once(child, 'message')
      return { child, said }
    }
    const captured = (workload) => mesh.grant(pod(workload).key).env
    const direct = await start('server', 1, { BENCH_PORT: '0' })
    const socketPath = join(runDir, 'direct.sock')
    const unix = await start('server', 1, { BENCH_PORT: socketPath })
    const outside = await start('generator', 0)
    const webApi = await start('server', 1, { ...captured('shop/web-api'), BENCH_PORT: '8080' })
    mesh.setReady(pod('shop/web-api').key, true)
    const ways = [
      {
        name: 'direct, TCP loopback',
        server: direct.child,
        generator: outside.child,
        url: `http://127.0.0.1:${direct.said.port}/`,
      },
      { name: 'direct, unix socket', server: unix.child, generator: outside.child, url: 'http://direct/', socketPath },
      {
        name: 'captured, plaintext',
        server: webApi.child,
        generator: (await start('generator', 0, captured('shop/outsider'))).child,
        url: 'http://web-api:8080/',
      },
      {
        name: 'mesh: captured, HBONE',
        server: webApi.child,
        generator: (await start('generator', 0, captured('shop/sleep'))).child,
        url: 'http://web-api:8080/',
      },
    ]
    const ms = Number(values.seconds) * 1000
    for (const connections of [1, 16]) {
      for (const way of ways) await round(way, connections, 300)
      const results = new Map(ways.map((way) => [way.name, []]))
      for (let turn = 0; turn < Number(values.rounds); turn += 1)
        for (const way of ways) results.get(way.name).push(await round(way, connections, ms))
      report(connections, results)
    }
    const { handshakes, open } = mesh.tunnels()
    console.log(`\n${handshakes} TLS handshakes in all, ${open.length} HTTP/2 session(s) open`)
    if (values.profile) await profile(() => round(ways.at(-1), 16, 3000))
  } finally {
    for (const child of children) child.disconnect()
    await mesh.close()
    await rm(runDir, { recursive: true, force: true })
  }
}

/** Generator and server on different cores, where the system can; the proxy goes where there is room. */
function pin(pid, core) {
  if (process.platform === 'linux' && cpus().length > 1) spawnSync('taskset', ['-p', '-c', String(core), String(pid)])
}

async function round({ server, generator, url, socketPath }, connections, ms) {
  const cpuOf = async () => {
    server.send({})
    const [{ cpu }] = await once(server, 'message')
    return cpu.user + cpu.system
  }
  const before = await cpuOf()
  const own = process.cpuUsage()
  generator.send({ url, socketPath, connections, ms })
  const [{ latencies, elapsed, cpu }] = await once(generator, 'message')
  const proxy = process.cpuUsage(own)
  const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]
  return {
    perSecond: (latencies.length / elapsed) * 1000,
    p50: at(0.5),
    p99: at(0.99),
    client: (cpu.user + cpu.system) / latencies.length,
    proxy: (proxy.user + proxy.system) / latencies.length,
    server: ((await cpuOf()) - before) / latencies.length,
  }
}

function median(numbers) {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
}

function report(connections, results) {
  console.log(`\n${connections} connection(s); medians of the rounds`)
  console.log('                         req/s   p50 us   p99 us   cpu us/req: client   mesh   server   ratio of req/s')
  let base
  for (const [name, rounds] of results) {
    const of = (field) => median(rounds.map((one) => one[field]))
    base ??= of('perSecond')
    const cell = (number, width) => number.toFixed(0).padStart(width)
    console.log(
      `${name.padEnd(22)} ${cell(of('perSecond'), 7)} ${cell(of('p50'), 8)} ${cell(of('p99'), 8)} ${cell(of('client'), 20)} ${cell(of('proxy'), 6)} ${cell(of('server'), 8)} ${(of('perSecond') / base).toFixed(2).padStart(16)}`,
    )
  }
}

/** Where the mesh process spends its time while `work` runs: self time by function. */
async function profile(work) {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.start')
  await work()
  const { profile: taken } = await session.post('Profiler.stop')
  session.disconnect()
  const self = new Map()
  const nodes = new Map(taken.nodes.map((node) => [node.id, node]))
  taken.samples.forEach((id, index) => {
    const { functionName, url } = nodes.get(id).callFrame
    const name = `${functionName || '(anonymous)'} ${url.split('/').slice(-2).join('/')}`
    self.set(name, (self.get(name) ?? 0) + taken.timeDeltas[index])
  })
  const total = [...self.values()].reduce((sum, one) => sum + one, 0)
  console.log('\nthe mesh process at 16 connections, self time')
  for (const [name, time] of [...self].sort((a, b) => b[1] - a[1]).slice(0, 15))
    console.log(`${((time / total) * 100).toFixed(1).padStart(6)} %  ${name}`)
}
