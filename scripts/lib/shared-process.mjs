// The first import of a process in which several test files run: no test begins before all are loaded, and at the end the
// process has to be as it was, or the run fails: a file that leaves it changed has to run alone (reading.mjs).
import { before } from 'node:test'

let loaded
const ready = new Promise((resolve) => {
  loaded = resolve
})

/** To be called behind the last import. */
export { loaded }

before(() => ready)

const heard = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGUSR2',
  'uncaughtException',
  'unhandledRejection',
  'message',
  'disconnect',
]
const globals = ['fetch', 'setTimeout', 'setInterval', 'setImmediate', 'Date', 'console']

const look = () => ({
  environment: JSON.stringify(Object.entries(process.env).sort()),
  folder: process.cwd(),
  handlers: heard.map((event) => process.listenerCount(event)),
  globals: globals.map((name) => globalThis[name]),
})

/** What is not as it was. */
function changed(was, is) {
  return [
    ...['environment', 'folder'].filter((what) => was[what] !== is[what]),
    // Fewer is the runner's own doing, as it ends.
    ...heard.filter((_, at) => is.handlers[at] > was.handlers[at]).map((event) => `handlers of ${event}`),
    ...globals.filter((_, at) => is.globals[at] !== was.globals[at]),
  ]
}

let atFirst
// Only now: the runner has handlers of its own.
before(() => {
  atFirst = look()
})

process.on('exit', () => {
  const found = atFirst === undefined ? [] : changed(atFirst, look())
  if (found.length === 0) return
  process.exitCode = 1
  process.stderr.write(`test files that share a process left it changed: ${found.join(', ')}\n`)
})
