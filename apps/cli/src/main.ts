import { createInterrupt } from './interrupt.js'
import { type Io, wantsColour } from './io.js'
import { run } from './program.js'

const interrupt = createInterrupt((code) => process.exit(code))
let exitCode = 0

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.receive(signal))

// `bulkhead flows | head -1` closes our stdout: that is the end of the work, not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCode)
  throw error
})

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
process.exit(exitCode)
