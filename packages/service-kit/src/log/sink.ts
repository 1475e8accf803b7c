import { writeSync } from 'node:fs'

/** Where lines go. */
export interface Sink {
  write(line: string): void
  /** Writes what waits, before it returns. */
  flush(): void
}

/** Takes bytes as far as there is room, and says how many; throws EAGAIN when there is none. */
export interface Output {
  write(bytes: Buffer): number
}

// Lines wait this long for company: a write per line is most of what logging costs under load. A crash and an exit
// write what waits; kill -9 loses it.
const FLUSH_AFTER_MS = 25
const FLUSH_AT_CHARS = 32 * 1024
/** How soon a full pipe is tried again. */
const RETRY_MS = 5
/** Memory: a reader that stalls must not make the service grow with every request. Above this, lines are lost, and counted. */
export const MAX_WAITING_CHARS = 8 * 1024 * 1024
/** How long a flush waits for a reader that takes nothing: the last lines are worth a moment, not the grace period. */
const FLUSH_PATIENCE_MS = 500

/**
 * Standard output, written to without ever waiting for its reader.
 * @param onLost told how many lines were lost, once the reader is back
 */
export function standardOutput(onLost: (lines: number) => void): Sink {
  // Node makes a pipe non-blocking when this is first touched. One that blocks would stop the process with its reader.
  void process.stdout
  const sink = outputSink({ write: (bytes) => writeSync(1, bytes) }, onLost)
  process.on('exit', () => sink.flush())
  return sink
}

/** The sink in front of any output. */
export function outputSink(output: Output, onLost: (lines: number) => void): Sink {
  let waiting = ''
  /** What a full output left of the lines before those that wait. */
  let rest: Buffer | undefined
  let lost = 0
  let gone = false
  let timer: NodeJS.Timeout | undefined

  /** Writes until nothing is left, or there is no more room. @returns whether nothing is left */
  function handOver(): boolean {
    while (!gone && (rest !== undefined || waiting !== '')) {
      rest ??= take()
      try {
        const taken = output.write(rest)
        rest = taken < rest.length ? rest.subarray(taken) : undefined
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EAGAIN') return false
        rest = undefined // a full disk, perhaps: these lines are lost, and the next are tried
        if (code === 'EPIPE') gone = true
      }
    }
    return true
  }

  function take(): Buffer {
    const lines = Buffer.from(waiting)
    waiting = ''
    return lines
  }

  function onTimer(): void {
    timer = undefined
    if (!handOver()) later(RETRY_MS)
    else if (lost > 0) {
      const lines = lost
      lost = 0
      onLost(lines)
    }
  }

  function later(ms: number): void {
    if (timer === undefined) timer = setTimeout(onTimer, ms).unref()
  }

  return {
    write: (line) => {
      if (gone) return
      if (waiting.length >= MAX_WAITING_CHARS) {
        lost++
        return
      }
      waiting += line
      // While the output is full, its timer is what tries it again.
      if (rest === undefined && waiting.length >= FLUSH_AT_CHARS && handOver()) return
      later(rest === undefined ? FLUSH_AFTER_MS : RETRY_MS)
    },
    flush: () => {
      const deadline = performance.now() + FLUSH_PATIENCE_MS
      while (!handOver()) {
        if (performance.now() >= deadline) gone = true
        else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
      }
    },
  }
}
