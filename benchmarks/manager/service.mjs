// The manager as it is, in a process of its own, on a cluster of 2,000 workloads with one pod each on a node of its own, and with
// schedulers that take everything at once. Told `profile`, it says where its time goes until it is told again.
import { Session } from 'node:inspector/promises'
import { podView } from '../../apps/manager/dist/kubernetes/memory.js'
import { startManager } from '../../apps/manager/dist/testing/manager.js'

const WORKLOADS = 2_000

process.once('message', async (mongo) => {
  const cleanups = []
  const manager = await startManager(
    { after: (cleanup) => void cleanups.push(cleanup) },
    { mongo: { ...mongo, close: async () => {} } },
  )
  for (let n = 0; n < WORKLOADS; n++) {
    manager.cluster.setPod(
      podView({ name: `pod-${n}`, nodeName: `node-${n}`, labels: { app: `app-${n}`, tier: 'bench' } }),
    )
  }
  manager.push.push = () => Promise.resolve('sent')
  // Each run has users of its own: the pages of a list are theirs.
  const planner = async () => {
    const { id, token } = await manager.user({
      policies: ['schedule_strategy.create', 'schedule_strategy.read'],
    })
    return { id: id.toHexString(), token }
  }
  const profiler = new Session()
  profiler.connect()
  let profiling = false
  process.on('message', async (what) => {
    if (what === 'cpu') process.send(process.cpuUsage())
    else if (what === 'planner') process.send(await planner())
    else if (what === 'profile') {
      profiling = !profiling
      if (profiling) {
        await profiler.post('Profiler.enable')
        await profiler.post('Profiler.start')
        process.send('profiling')
      } else process.send(byOwner((await profiler.post('Profiler.stop')).profile))
    } else {
      for (const cleanup of cleanups.reverse()) await cleanup()
      process.disconnect()
    }
  })
  process.send({ url: manager.url })
})

/** The share of each package, and of what is Node's own, in the time that was not idle. */
function byOwner({ nodes, samples, timeDeltas }) {
  const owners = new Map(nodes.map(({ id, callFrame: { url, functionName } }) => [id, ownerOf(url, functionName)]))
  const times = new Map()
  let all = 0
  samples.forEach((id, index) => {
    const owner = owners.get(id)
    if (owner === undefined) return
    const time = timeDeltas[index] ?? 0
    times.set(owner, (times.get(owner) ?? 0) + time)
    all += time
  })
  return [...times].map(([owner, time]) => ({ owner, share: time / all })).sort((a, b) => b.share - a.share)
}

function ownerOf(url, functionName) {
  if (functionName === '(idle)' || functionName === '(program)' || functionName === '(root)') return undefined
  // The profiler's own.
  if (functionName === 'dispatch' && url === '') return undefined
  if (functionName === '(garbage collector)') return 'garbage collector'
  const library = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  if (library !== undefined) return library
  const own = /\/(apps\/manager|packages\/[^/]+)\/dist\//.exec(url)?.[1]
  return own ?? 'Node.js'
}
