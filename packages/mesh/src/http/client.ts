import type { Duplex } from 'node:stream'
import type { Client } from 'undici'
import { ConnectionReset } from '../splice.js'
import { MAX_ANSWER_HEADER_BYTES, STREAM_IDLE_MS, UPSTREAM_IDLE_MS } from './limits.js'

/** An HTTP/1.1 client over that connection, and over no other: what is lost is lost, and another one is judged anew. */
export function clientOver(client: typeof Client, socket: Duplex): Client {
  let taken = false
  return new client('http://upstream', {
    connect: (_options, callback) => {
      const lost = taken || socket.destroyed
      taken = true
      // Not at once: the client counts on an answer that comes later.
      queueMicrotask(() => (lost ? callback(new ConnectionReset(), null) : callback(null, socket as never)))
    },
    pipelining: 1,
    keepAliveTimeout: UPSTREAM_IDLE_MS,
    keepAliveMaxTimeout: UPSTREAM_IDLE_MS,
    headersTimeout: STREAM_IDLE_MS,
    bodyTimeout: STREAM_IDLE_MS,
    maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
  })
}
