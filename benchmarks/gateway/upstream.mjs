// What all three sides have behind them: every request is answered with 711 bytes of JSON. In a pod the port is the pod's.
import { createServer } from 'node:http'

const body = JSON.stringify({ name: 'web-api', filler: 'x'.repeat(681) })
const headers = { 'content-type': 'application/json', 'content-length': body.length }
const server = createServer((_request, response) => response.writeHead(200, headers).end(body))
const port = Number(process.argv[2])
server.listen(port, port === 0 ? '127.0.0.1' : '0.0.0.0', () => process.send({ port: server.address().port }))
process.on('disconnect', () => process.exit())
