import { spawn } from 'node:child_process'

/**
 * Runs a program to its end and keeps what it says. Ctrl-C reaches it too (a terminal sends it to the whole group),
 * and a SIGTERM is handed on; either way this process ends after it, never before.
 * @returns {Promise<{ code: number, output: string }>} rejects only when the program cannot be started
 */
export function runQuietly(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    const output = []
    let interrupted
    const hand = (signal) => {
      interrupted = signal
      child.kill(signal)
    }
    const wait = (signal) => {
      interrupted = signal
    }
    process.on('SIGINT', wait)
    process.on('SIGTERM', hand)
    const done = () => {
      process.removeListener('SIGINT', wait)
      process.removeListener('SIGTERM', hand)
    }
    child.stdout.on('data', (chunk) => output.push(chunk))
    child.stderr.on('data', (chunk) => output.push(chunk))
    child.on('error', (error) => {
      done()
      reject(error)
    })
    child.on('close', (code, signal) => {
      done()
      if (interrupted) {
        process.stderr.write('\nInterrupted; the next run begins this step again.\n')
        process.exit(interrupted === 'SIGINT' ? 130 : 143)
      }
      resolve({ code: code ?? (signal ? 1 : 0), output: Buffer.concat(output).toString() })
    })
  })
}
