// The load generator, a process of its own so that it can have a core of its own. On plain sockets: an HTTP client costs more per
// request than the servers do, and every server would look alike. It takes commands on its channel:
// { port, path, connections, seconds } -> { requests, seconds, p50, p99 }
import { once } from 'node:events'
import { connect } from 'node:net'

/** One kept connection, one request at a time. */
class Client {
  constructor(port, path) {
    this.request = `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`
    this.socket = connect(port, '127.0.0.1').setNoDelay(true)
    this.left = 0
    this.socket.on('data', (chunk) => this.#read(chunk))
    this.socket.on('error', () => this.done?.(new Error('the connection broke')))
    this.socket.on('close', () => this.done?.(new Error('the connection was closed')))
  }

  ask(done) {
    this.done = done
    this.left = 0
    this.socket.write(this.request)
  }

  #read(chunk) {
    if (this.left === 0) {
      const head = chunk.indexOf('\r\n\r\n')
      const text = chunk.latin1Slice(0, head)
      const length = /content-length: (\d+)/i.exec(text)?.[1]
      if (head === -1 || length === undefined || !text.startsWith('HTTP/1.1 200')) {
        this.done(new Error(`not the answer that was expected: ${text}`))
        return
      }
      this.left = head + 4 + Number(length)
    }
    this.left -= chunk.length
    if (this.left === 0) this.done()
  }
}

process.on('message', async ({ port, path, connections, seconds }) => {
  const clients = Array.from({ length: connections }, () => new Client(port, path))
  await Promise.all(clients.map(({ socket }) => once(socket, 'connect')))
  const latencies = []
  const began = performance.now()
  const until = began + seconds * 1000
  await Promise.all(
    clients.map(
      (client) =>
        new Promise((resolve, reject) => {
          let sent = performance.now()
          const answered = (error) => {
            if (error !== undefined) return reject(error)
            const now = performance.now()
            latencies.push(now - sent)
            sent = now
            if (now < until) client.ask(answered)
            else resolve()
          }
          client.ask(answered)
        }),
    ),
  )
  const took = (performance.now() - began) / 1000
  for (const { socket } of clients) socket.removeAllListeners('close').destroy()
  latencies.sort((a, b) => a - b)
  const at = (share) => latencies[Math.floor(share * (latencies.length - 1))]
  process.send({ requests: latencies.length, seconds: took, p50: at(0.5), p99: at(0.99) })
})
process.on('disconnect', () => process.exit(0))
