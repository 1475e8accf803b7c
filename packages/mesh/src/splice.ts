import type { Duplex } from 'node:stream'

/** One end of a carried connection. */
export interface End {
  readonly stream: Duplex
  /** Ends it as an RST does, so that its peer cannot take it for an orderly close. */
  reset(): void
}

export interface Spliced {
  /** Bytes from a to b, and from b to a. */
  readonly sent: number
  readonly received: number
  /** Which end was cut off before both directions had ended in order. */
  readonly cut?: 'a' | 'b'
}

/** The error that a stream is destroyed with: an HTTP/2 stream sends RST_STREAM for it, and no END_STREAM before. */
export class ConnectionReset extends Error {
  readonly code = 'ECONNRESET'
  constructor(message = 'connection reset') {
    super(message)
    this.name = 'ConnectionReset'
  }
}

/** For HTTP/2 streams (`destroy(error)` is their reset), and for sockets of our own that have no reset at all. */
export const resettable = (stream: Duplex): End => ({ stream, reset: () => void stream.destroy(new ConnectionReset()) })

/** What capture hands out for an app: a socket that knows how to reset it, whatever it is made of. */
export function appEnd(stream: Duplex): End {
  if (!('resetAndDestroy' in stream && typeof stream.resetAndDestroy === 'function')) return resettable(stream)
  const reset = stream.resetAndDestroy.bind(stream)
  return { stream, reset: () => void (stream.destroyed || reset()) }
}

/**
 * Joins two ends until both directions are over: with backpressure, each direction ending for itself (half-close), and
 * a reset of one end arriving as a reset at the other.
 */
export function splice(a: End, b: End, onBytes?: (sent: number, received: number) => void): Promise<Spliced> {
  return new Promise((resolve) => {
    let sent = 0
    let received = 0
    let cut: 'a' | 'b' | undefined
    let open = 2

    const ended = { a: false, b: false }

    const finish = (end: End, other: End, name: 'a' | 'b') => {
      const inOrder = ended.a && ended.b && end.stream.writableFinished
      if (!inOrder && cut === undefined) {
        cut = name
        if (!other.stream.destroyed) other.reset()
      }
      open -= 1
      if (open === 0) resolve(cut === undefined ? { sent, received } : { sent, received, cut })
    }
    const watch = (end: End, other: End, name: 'a' | 'b') => {
      // 'close' follows and tells all that matters; without a listener the error would end the process.
      end.stream.on('error', () => {})
      // Destroyed, it gives nothing more; `closed` means less on an HTTP/2 stream, which may still have bytes to read.
      if (end.stream.destroyed) finish(end, other, name)
      else end.stream.once('close', () => finish(end, other, name))
    }
    const pour = (from: End, to: End, name: 'a' | 'b') => {
      const over = () => {
        if (isCut(from.stream)) return
        ended[name] = true
        to.stream.end()
      }
      from.stream.pipe(to.stream, { end: false })
      if (from.stream.readableEnded) over()
      else from.stream.once('end', over)
    }

    a.stream.on('data', (chunk: Buffer) => {
      sent += chunk.length
      onBytes?.(chunk.length, 0)
    })
    b.stream.on('data', (chunk: Buffer) => {
      received += chunk.length
      onBytes?.(0, chunk.length)
    })
    watch(a, b, 'a')
    watch(b, a, 'b')
    pour(a, b, 'a')
    pour(b, a, 'b')
  })
}

/** Node says `end`, and even `finish`, of an HTTP/2 stream that its peer resets or that goes with its session. */
const isCut = (stream: Duplex): boolean => stream.destroyed || ('rstCode' in stream && Boolean(stream.rstCode))
