import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ProgressEvent } from '@bulkhead/local-cluster'
import { CliError } from '../io.js'
import type { SupervisorMessage, SupervisorOptions, UpReport } from './messages.js'

const daemon = fileURLToPath(new URL('./daemon.js', import.meta.url))

/** Starts the supervisor as a process of its own and waits until it is up. The signal, meanwhile, ends it. */
export function startInBackground(
  options: SupervisorOptions,
  signal: AbortSignal,
  progress: (event: ProgressEvent) => void,
): Promise<UpReport> {
  const file = join(options.stateDir, 'supervisor.log')
  const log = openLog(options.stateDir, file)
  const child = spawn(process.execPath, [daemon, JSON.stringify(options)], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    cwd: options.stateDir,
  })
  closeSync(log)
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  return new Promise<UpReport>((resolve, reject) => {
    child.on('message', (message: SupervisorMessage) => {
      if (message.type === 'progress') progress(message.event)
      else if (message.type === 'up') resolve(message.report)
      else reject(new CliError(message.message))
    })
    child.once('error', (error) => reject(new CliError(`the supervisor cannot be started: ${error.message}.`)))
    child.once('exit', (code, killed) => {
      if (signal.aborted)
        reject(signal.reason instanceof Error ? signal.reason : new DOMException('interrupted', 'AbortError'))
      else
        reject(
          new CliError(
            `the supervisor ended (${killed ?? `exit code ${code}`}) before anything was up; ${file} has more.`,
          ),
        )
    })
  }).finally(() => {
    signal.removeEventListener('abort', stop)
    if (child.connected) child.disconnect()
    child.unref()
  })
}

function openLog(stateDir: string, file: string): number {
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 })
    return openSync(file, 'w', 0o600)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new CliError(
      `the state folder "${stateDir}" cannot be written (${code}). Make it writable, or name another with --state DIR.`,
    )
  }
}
