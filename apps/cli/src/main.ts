import { createInterrupt } from './interrupt.js'
import { exitCodes, type Io, wantsColour } from './io.js'
import { run } from './program.js'

const interrupt = createInterrupt((code) => process.exit(code))
let exitCode = 0
let unwritten = false

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.receive(signal))

// Who reads may go first: `bulkhead flows -f | head -1` closes our stdout, and so does a terminal that is closed. That is
// the end of the work and not a failure; a supervisor still ends what it has started.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (!['EPIPE', 'EIO'].includes(error.code ?? '') && !unwritten) {
    unwritten = true
    process.stderr.write(`bulkhead: the result cannot be written: ${error.message}.\n`)
  }
  interrupt.outputGone()
})
process.stderr.on('error', () => undefined)

const io: Io = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
  env: process.env,
  colour: wantsColour(process.stdout, process.env),
  signal: interrupt.signal,
  exit(code) {
    exitCode = code
  },
}

exitCode = await run(process.argv.slice(2), io)
// Written before it is left: a pipe takes the text later than write() returns.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))))
process.exit(unwritten ? exitCodes.badInput : exitCode)
