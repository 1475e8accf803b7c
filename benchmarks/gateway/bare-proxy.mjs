// The baseline: a reverse proxy of the usual parts and nothing besides. No policy, no routes, no headers changed, no records.
// In a pod it listens on the pod's port.
import { createServer } from 'node:http'
import { Pool } from 'undici'

const [upstream, port = '0'] = process.argv.slice(2)
const pool = new Pool(upstream, { connections: 256, pipelining: 1 })

const server = createServer(async (request, response) => {
  try {
    const body = request.method === 'GET' ? null : request
    const answer = await pool.request({ method: request.method, path: request.url, body })
    response.writeHead(answer.statusCode, answer.headers)
    answer.body.pipe(response)
  } catch {
    response.writeHead(503).end()
  }
})
server.listen(Number(port), port === '0' ? '127.0.0.1' : '0.0.0.0', () => process.send({ port: server.address().port }))
process.on('disconnect', () => process.exit())
