import { PassThrough, Readable, Writable } from 'node:stream'
import type { Io } from './io.js'
import { run } from './program.js'

/** What a command did: its exit code and what it wrote. */
export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Io['env']
  readonly stdin?: string
  readonly signal?: AbortSignal
}

/** For tests: a command line, run in this process, without a terminal. */
export async function runCli(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const stdout = collecting()
  const stderr = collecting()
  const code = await runInto(stdout.stream, stderr.stream, args, options)
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

/** The same, as a terminal shows it: both streams, in their order. */
export async function typeCli(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const terminal = collecting()
  await runInto(terminal.stream, terminal.stream, args, options)
  return terminal.text()
}

const runInto = (stdout: Writable, stderr: Writable, args: readonly string[], options: RunOptions): Promise<number> =>
  run(args, {
    stdin: options.stdin === undefined ? new PassThrough().end() : Readable.from([options.stdin]),
    stdout,
    stderr,
    cwd: options.cwd ?? process.cwd(),
    env: options.env ?? {},
    colour: false,
    signal: options.signal ?? new AbortController().signal,
    exit() {},
  })

function collecting(): { readonly stream: Writable; text(): string } {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  return { stream, text: () => Buffer.concat(chunks).toString() }
}
