import { createSocket } from 'node:dgram'
import { asFailure } from '../trace.js'
import type { Kind } from './kind.js'

/** One datagram, and the first that comes back. */
export const udp: Kind = (trace) =>
  new Promise((resolve, reject) => {
    const { host, port, send = 'ping' } = trace.attempt
    const socket = createSocket('udp4')
    const fail = (error: unknown): void => {
      trace.signal.removeEventListener('abort', late)
      socket.close()
      reject(asFailure(error))
    }
    const late = (): void => fail(trace.signal.reason)
    trace.signal.addEventListener('abort', late, { once: true })
    socket.once('error', fail)
    socket.once('message', (message) => {
      trace.signal.removeEventListener('abort', late)
      socket.close()
      trace.received(message.length)
      resolve({ detail: { text: message.toString('utf8') } })
    })
    // Connected, so that the ICMP answer of a closed port comes back as ECONNREFUSED.
    socket.connect(port, host, () => {
      trace.mark('connect')
      trace.phase = 'request'
      socket.send(send)
    })
  })
