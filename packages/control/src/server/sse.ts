import type { Response } from 'express'
import { envelope } from './errors.js'

/** A reader that is this many bytes behind is let go: a stream must not fill the supervisor's memory. One event may be longer. */
const maxBehindBytes = 8 * 1024 * 1024
const signOfLifeMs = 15_000

export interface EventStream {
  /** Aborted when the reader has gone. */
  readonly signal: AbortSignal
  send(event: string, data: unknown): void
  /** Ends the stream; with an error, after telling it. */
  end(error?: unknown): void
}

/** Answers with server-sent events. */
export function eventStream(response: Response): EventStream {
  const gone = new AbortController()
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  // The reader learns at once that it was heard.
  response.write(':\n\n')
  const sign = setInterval(() => response.write(':\n\n'), signOfLifeMs)
  response.on('close', () => {
    clearInterval(sign)
    gone.abort()
  })
  response.on('error', () => gone.abort())
  const send = (event: string, data: unknown) => {
    if (gone.signal.aborted) return
    if (response.writableLength > maxBehindBytes) response.destroy()
    else response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }
  return {
    signal: gone.signal,
    send,
    end(error) {
      if (error !== undefined) send('error', envelope(error).body)
      response.end()
    },
  }
}
