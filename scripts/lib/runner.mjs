// Node's own runner, by its function: its command sorts the files that it is given, and so would run the long ones at the end
// as well as at the beginning. Arguments: the concurrency, a file's limit in ms, where the sums and the sums so far go, and the files.
import { setMaxListeners } from 'node:events'
import { createWriteStream } from 'node:fs'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { tallying } from './tally-reporter.mjs'

const [concurrency, timeout, tally, soFar, ...files] = process.argv.slice(2)

const stop = new AbortController()
setMaxListeners(0, stop.signal)
// The processes of the files end with it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop.abort())

const events = run({ files, concurrency: Number(concurrency), timeout: Number(timeout), signal: stop.signal })
events.on('test:fail', () => {
  process.exitCode = 1
})
events.compose(tallying(soFar)).pipe(createWriteStream(tally))
events.compose(new spec()).pipe(process.stdout)
