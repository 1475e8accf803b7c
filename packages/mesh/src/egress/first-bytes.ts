import type { Readable } from 'node:stream'
import type { Payload } from '@bulkhead/verdict'
import { MAX_HELLO_BYTES, readHello } from './client-hello.js'

/**
 * Reads a connection's first bytes until they say what it carries, and puts them back. A client that says nothing for
 * `limitMs`, or ends, carries something else. Undefined: it is gone.
 */
export function readFirstBytes(stream: Readable, limitMs: number): Promise<Payload | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const done = (payload: Payload | undefined) => {
      clearTimeout(timer)
      stream.off('readable', read).off('close', gone).off('end', ended)
      if (size > 0 && !stream.destroyed) stream.unshift(Buffer.concat(chunks))
      resolve(payload)
    }
    const ended = () => done({ kind: 'other' })
    const gone = () => done(undefined)
    const read = () => {
      for (;;) {
        const chunk: Buffer | null = stream.read()
        if (chunk === null) return
        chunks.push(chunk)
        size += chunk.length
        const hello = readHello(Buffer.concat(chunks).subarray(0, MAX_HELLO_BYTES))
        if (hello !== undefined) return done(hello)
      }
    }
    const timer = setTimeout(ended, limitMs)
    if (stream.destroyed) return gone()
    if (stream.readableEnded) return ended()
    stream.on('readable', read).once('close', gone).once('end', ended)
    read()
  })
}
