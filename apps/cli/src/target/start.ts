import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ProgressEvent } from '@bulkhead/local-cluster'
import { prepare } from '@bulkhead/local-cluster/state'
import { CliError } from '../io.js'
import type { Started, SupervisorMessage, SupervisorOptions } from './messages.js'

const daemon = fileURLToPath(new URL('./daemon.js', import.meta.url))

/**
 * Starts the supervisor as a process of its own and waits until it is up.
 *
 * @throws DOMException AbortError when the signal was given first; then nothing is left of it. CliError and ClusterError
 * say why nothing was started.
 */
export async function startInBackground(
  options: SupervisorOptions,
  signal: AbortSignal,
  progress: (event: ProgressEvent) => void,
): Promise<Started> {
  // Before its log is begun anew: it may be that of one that runs.
  prepare(options.stateDir)
  if (signal.aborted) throw interrupted()
  const file = join(options.stateDir, 'supervisor.log')
  const log = openSync(file, 'w', 0o600)
  const child = spawn(process.execPath, [daemon, JSON.stringify(options)], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    cwd: options.stateDir,
  })
  closeSync(log)
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await new Promise<Started>((resolve, reject) => {
      child.on('message', (message: SupervisorMessage) => {
        if (message.type === 'progress') progress(message.event)
        else if (signal.aborted)
          return // What counts then is that it ends.
        else if (message.type === 'up') resolve({ report: message.report, toldOnce: message.toldOnce })
        else reject(new CliError(message.message))
      })
      child.once('error', (error) => reject(new CliError(`the supervisor cannot be started: ${error.message}.`)))
      child.once('exit', (code, killed) => {
        const how = killed ?? `exit code ${code}`
        if (signal.aborted) reject(interrupted())
        else reject(new CliError(`the supervisor ended (${how}) before anything was up; ${file} may have more.`))
      })
    })
  } finally {
    signal.removeEventListener('abort', stop)
    if (child.connected) child.disconnect()
    child.unref()
  }
}

const interrupted = (): DOMException => new DOMException('the start was interrupted', 'AbortError')
