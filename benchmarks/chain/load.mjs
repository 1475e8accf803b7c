// The load generator, a process of its own so that it can have a core of its own. It takes commands on its channel:
// { url, connections, seconds } -> { requests, seconds, p50, p99, errors }
import { Pool } from 'undici'

const pools = new Map()

process.on('message', async ({ url, connections, seconds }) => {
  const key = `${url} ${connections}`
  if (!pools.has(key)) pools.set(key, new Pool(url, { connections, pipelining: 1 }))
  const pool = pools.get(key)
  const latencies = []
  let errors = 0
  const began = performance.now()
  const until = began + seconds * 1000
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let now = performance.now(); now < until; ) {
        const { statusCode, body } = await pool.request({ method: 'GET', path: '/' })
        await body.dump()
        const after = performance.now()
        if (statusCode === 200) latencies.push(after - now)
        else errors++
        now = after
      }
    }),
  )
  const took = (performance.now() - began) / 1000
  latencies.sort((a, b) => a - b)
  const at = (share) => latencies[Math.floor(share * (latencies.length - 1))]
  process.send({ requests: latencies.length, seconds: took, p50: at(0.5), p99: at(0.99), errors })
})
process.on('disconnect', () => process.exit(0))
