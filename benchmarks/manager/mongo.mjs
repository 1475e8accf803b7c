// The database of both sides, in a process of its own: in memory, as what is asked is what the services cost.
import { testMongo } from '../../apps/manager/dist/testing/mongo.js'

const cleanups = []
const { port, rootUri } = await testMongo({ after: (cleanup) => void cleanups.push(cleanup) })
process.on('message', async (what) => {
  if (what === 'cpu') return process.send(process.cpuUsage())
  for (const cleanup of cleanups) await cleanup()
  process.disconnect()
})
process.send({ port, rootUri })
