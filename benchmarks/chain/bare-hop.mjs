// One hop of the bare chain: node:http, an undici Pool, pino, and nothing that a service needs besides. It answers JSON of
// the same size and form as chain-service, from its upstream's parsed answer, and writes a line per request.
import { createServer } from 'node:http'
import pino from 'pino'
import { Pool } from 'undici'

const [port, name, message, upstream] = process.argv.slice(2)
// The same destination as service-kit's: the two sides differ in what they log, not in how they write it.
const destination = pino.destination({ fd: 1, sync: false, minLength: 8192 })
setInterval(() => destination.flush(), 20).unref()
const log = pino({ base: { service: name, pid: process.pid } }, destination)
const pool = upstream === undefined ? undefined : new Pool(upstream, { connections: 256, pipelining: 1 })

createServer(async (request, response) => {
  const started = performance.now()
  const answer = {
    name,
    uri: request.url,
    type: 'HTTP',
    ip_addresses: ['10.244.1.7'],
    start_time: new Date().toISOString(),
    end_time: '',
    duration: '',
    body: message,
  }
  if (pool !== undefined) {
    const { statusCode, body } = await pool.request({ method: 'GET', path: request.url })
    answer.upstream_calls = [{ ...(await body.json()), uri: upstream, code: statusCode }]
  }
  answer.end_time = new Date().toISOString()
  answer.duration = `${(performance.now() - started).toFixed(6)}ms`
  answer.code = 200
  const text = `${JSON.stringify(answer, null, 2)}\n`
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(text) })
  response.end(text)
  log.info({ method: request.method, path: request.url, status: 200, ms: performance.now() - started }, 'request')
}).listen(Number(port), '127.0.0.1')
