import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as delay } from 'node:timers/promises'

/** A log keeps this much, and as much again in `.1`. */
const maxBytes = 8 * 1024 * 1024

/**
 * A log file: a pod's, to which the containers write to it themselves, by an appending descriptor, so that logging costs the
 * supervisor nothing; it only cuts the file when it has grown too long (copy, then truncate: lines written between the
 * two are lost, as with logrotate's copytruncate).
 */
export class LogFile {
  readonly file: string
  readonly #fd: number
  readonly #max: number
  #closed = false

  constructor(file: string, max: number = maxBytes) {
    this.file = file
    this.#max = max
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    this.#fd = openSync(file, constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY, 0o600)
  }

  /** To be given to a child process as its stdout and stderr. */
  get descriptor(): number {
    return this.#fd
  }

  /** A line of the supervisor's own, marked as such. */
  note(text: string): void {
    this.write(`--- ${new Date().toISOString()} ${text}\n`)
  }

  /** Lines as they are. What cannot be written (a full disk) is lost: a log must not end what it tells of. */
  write(lines: string): void {
    if (this.#closed) return
    try {
      writeSync(this.#fd, lines)
    } catch {
      // Lost.
    }
  }

  /** Cuts the file when it is too long. Returns whether it did. */
  rotate(): boolean {
    if (this.#closed) return false
    try {
      if (fstatSync(this.#fd).size <= this.#max) return false
      copyFileSync(this.file, `${this.file}.1`)
    } catch {
      // No room for the copy: all the more reason to cut.
    }
    try {
      truncateSync(this.file)
    } catch {
      return false
    }
    return true
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    closeSync(this.#fd)
  }
}

/** The last `lines` lines, oldest first, and where the file ended then. An absent file is an empty one. */
export function tail(file: string, lines: number): { readonly text: string; readonly end: number } {
  let fd: number
  try {
    fd = openSync(file, 'r')
  } catch {
    return { text: '', end: 0 }
  }
  try {
    const end = fstatSync(fd).size
    const chunks: Buffer[] = []
    let newlines = 0
    // Backwards, in blocks, until there is one newline more than lines are wanted.
    for (let at = end; at > 0 && newlines <= lines; ) {
      const block = Buffer.alloc(Math.min(64 * 1024, at))
      at -= block.length
      readSync(fd, block, 0, block.length, at)
      for (const byte of block) if (byte === 10) newlines++
      chunks.unshift(block)
    }
    const all = Buffer.concat(chunks).toString().split('\n')
    const whole = all.at(-1) === '' ? all.slice(0, -1) : all
    const kept = lines === 0 ? [] : whole.slice(-lines)
    return { text: kept.map((line) => `${line}\n`).join(''), end }
  } finally {
    closeSync(fd)
  }
}

/** The last line that a program wrote, cut to what fits in a status; the supervisor's own lines are left out. */
export function lastWords(file: string, most = 400): string {
  const lines = tail(file, 10).text.split('\n')
  const said = lines.findLast((line) => line.trim() !== '' && !line.startsWith('--- ')) ?? ''
  const plain = said.replace(/\p{Cc}/gu, ' ').trim()
  return plain.length > most ? `${plain.slice(0, most)}...` : plain
}

/** Whether a container's spec asks for them: as the kubelet has it where no termination message is written. */
export function wantsLastWords(spec: object): boolean {
  return 'terminationMessagePolicy' in spec && spec.terminationMessagePolicy === 'FallbackToLogsOnError'
}

/** What is appended from `position` on, until the signal. Begins anew when the file was cut. */
export async function* follow(file: string, position: number, signal: AbortSignal): AsyncGenerator<string> {
  let at = position
  // A character may be written in two parts.
  const decoder = new StringDecoder('utf8')
  while (!signal.aborted) {
    const size = await stat(file).then(
      (found) => found.size,
      () => 0,
    )
    if (size < at) at = 0
    if (size > at) {
      const handle = await open(file, 'r')
      try {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(size - at, 256 * 1024)), 0, undefined, at)
        at += bytesRead
        const text = decoder.write(buffer.subarray(0, bytesRead))
        if (text !== '') yield text
      } finally {
        await handle.close()
      }
      continue
    }
    // A file has no event that every platform tells reliably; ten looks a second, while somebody follows, cost nothing.
    await delay(100, undefined, { signal }).catch(() => undefined)
  }
}
