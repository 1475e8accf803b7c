// The baseline: node:http, JSON written anew for each request, and nothing that a service needs besides. With `log` it also writes a
// line per request with pino, as every service here does.

import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import pino from 'pino'

const [port, file, logs] = process.argv.slice(2)
const answer = JSON.parse(readFileSync(file, 'utf8'))
// The same destination as service-kit's: the sides differ in what they log, not in how they write it.
const destination = pino.destination({ fd: 1, sync: false, minLength: 8192 })
setInterval(() => destination.flush(), 20).unref()
const log = logs === 'log' ? pino({ base: { service: 'bare', pid: process.pid } }, destination) : undefined

createServer((request, response) => {
  const started = performance.now()
  const text = JSON.stringify(answer)
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
  log?.info({ method: request.method, path: request.url, status: 200, ms: performance.now() - started }, 'request')
}).listen(Number(port), '127.0.0.1')
