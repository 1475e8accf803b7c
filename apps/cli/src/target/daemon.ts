/*
 * The supervisor in the background: started by `bulkhead up` with its options as JSON in the only argument, tells its
 * progress over the IPC channel, and runs until it is asked to end.
 */
import { createInterrupt } from '../interrupt.js'
import { clock, eventText } from './event-text.js'
import type { SupervisorMessage, SupervisorOptions } from './messages.js'
import { supervise } from './supervise.js'

const interrupt = createInterrupt((code) => process.exit(code))
// Its log is a file: on a full disk it is told nothing more, and goes on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.receive(signal))

/** `up` may have gone meanwhile; the target stays. */
const tell = (message: SupervisorMessage): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, undefined, undefined, () => resolve())
  })

try {
  const options = JSON.parse(process.argv[2] ?? '{}') as SupervisorOptions
  const supervisor = await supervise(
    options,
    interrupt.signal,
    (event) => void tell({ type: 'progress', event }),
    (event) => process.stdout.write(`${eventText(event, clock(new Date()))}\n`),
  )
  await tell({ type: 'up', report: supervisor.report, toldOnce: supervisor.toldOnce })
  if (process.connected) process.disconnect()
  const interrupted = new Promise<void>((resolve) => {
    if (interrupt.signal.aborted) resolve()
    else interrupt.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await Promise.race([supervisor.asked, interrupted])
  await supervisor.stop()
  process.exit(0)
} catch (error) {
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`${error instanceof Error && error.stack ? error.stack : message}\n`)
  await tell({ type: 'failed', message })
  process.exit(1)
}
