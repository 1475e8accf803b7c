import pino from 'pino'

/** Where lines go. */
export interface Sink {
  write(line: string): void
  /** Writes what waits, before it returns. */
  flush(): void
}

// Lines wait this long for company: a write per line is most of what logging costs under load. A crash and an exit
// write what waits; kill -9 loses it.
const FLUSH_AFTER_MS = 25
const FLUSH_AT_CHARS = 32 * 1024

/** Standard output, through pino's destination: it copes with partial writes, with a full pipe, and with a reader that has gone. */
export function standardOutput(): Sink {
  const destination = pino.destination({ fd: 1, sync: false, minLength: 0, maxWrite: 4 * FLUSH_AT_CHARS })
  let waiting = ''
  let timed = false
  const handOver = (): void => {
    const lines = waiting
    waiting = ''
    if (lines !== '') destination.write(lines)
  }
  const onTimer = (): void => {
    timed = false
    handOver()
  }
  const flush = (): void => {
    handOver()
    destination.flushSync()
  }
  process.on('exit', flush)
  return {
    write: (line) => {
      waiting += line
      if (waiting.length >= FLUSH_AT_CHARS) handOver()
      else if (!timed) {
        timed = true
        setTimeout(onTimer, FLUSH_AFTER_MS).unref()
      }
    },
    flush,
  }
}
