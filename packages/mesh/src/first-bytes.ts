import type { Readable } from 'node:stream'

/** What of a connection is read before anything of it is let on. */
export interface FirstBytes<T> {
  readonly limitMs: number
  /** What the bytes so far say; undefined while more could say something else. */
  readonly read: (bytes: Buffer) => T | undefined
  /** What it is when its client says nothing in time, or ends. */
  readonly silent: T
}

/** Reads a connection's first bytes until they say what it carries, and puts them back. Undefined: the client is gone. */
export function readFirst<T>(stream: Readable, { limitMs, read: say, silent }: FirstBytes<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const done = (said: T | undefined) => {
      clearTimeout(timer)
      stream.off('readable', read).off('close', gone).off('end', ended)
      if (size > 0 && !stream.destroyed) stream.unshift(Buffer.concat(chunks))
      resolve(said)
    }
    const ended = () => done(silent)
    const gone = () => done(undefined)
    const read = () => {
      for (;;) {
        const chunk: Buffer | null = stream.read()
        if (chunk === null) return
        chunks.push(chunk)
        size += chunk.length
        const said = say(Buffer.concat(chunks))
        if (said !== undefined) return done(said)
      }
    }
    const timer = setTimeout(ended, limitMs)
    if (stream.destroyed) return gone()
    if (stream.readableEnded) return ended()
    stream.on('readable', read).once('close', gone).once('end', ended)
    read()
  })
}
