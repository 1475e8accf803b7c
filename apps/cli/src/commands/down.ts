import { setTimeout as delay } from 'node:timers/promises'
import { ControlClient, ControlError } from '@bulkhead/control'
import { alive, clearStale, readControl } from '@bulkhead/local-cluster/state'
import type { Command } from 'commander'
import { CliError, exitCodes, type Io, note, print, printJson } from '../io.js'
import { type JsonOption, type StateOption, withHelp, withJson, withState } from '../options.js'
import { stateDirectory } from '../places.js'

/** Longer than any pod of ours may take to end. */
const limitMs = 60_000

export function register(program: Command, io: Io): void {
  const command = program
    .command('down')
    .description('End the running target: requests under way are finished, nothing is left behind.')
    .action((options: JsonOption & StateOption) => down(options, io))
  withHelp(withJson(withState(command)), {
    examples: ['npx bulkhead down', 'npx bulkhead down --state ../other/.bulkhead'],
    exit: '0 it is down, 2 nothing was up.',
  })
}

async function down(options: JsonOption & StateOption, io: Io): Promise<void> {
  const stateDir = stateDirectory(io, options.state)
  const found = readControl(stateDir)
  if (found === undefined) throw new CliError(`nothing is up here (no ${stateDir}/control.json).`)
  const { control, stale } = found
  if (stale) {
    const killed = clearStale(stateDir)
    const left = killed === 0 ? 'It left no process' : `${killed} processes that it left were ended`
    note(io, `nothing is up here: the target that was (process ${control.pid}) ended without saying so. ${left}.`)
    if (options.json === true) printJson(io, { down: false, leftovers: killed })
    io.exit(exitCodes.badInput)
    return
  }
  const { pid, url, token } = control
  const byForce = `\`kill -9 ${pid}\` ends it, and its pods with it.`
  if (url === undefined || token === undefined) process.kill(pid, 'SIGTERM')
  else {
    await new ControlClient({ pid, url, token }).shutdown().catch((error: unknown) => {
      if (!(error instanceof ControlError) || error.code !== 'unreachable') throw error
      // It may have ended this very moment, which is what was wanted.
      if (readControl(stateDir)?.stale === false) throw new CliError(`${error.message} ${byForce}`)
    })
  }
  const deadline = Date.now() + limitMs
  while (readControl(stateDir)?.control.stamp === control.stamp || alive(control)) {
    io.signal.throwIfAborted()
    if (readControl(stateDir)?.stale === true) clearStale(stateDir)
    if (Date.now() > deadline) {
      throw new CliError(
        `the target (process ${pid}) was asked to end and has not within ${limitMs / 1000} s. ${byForce}`,
      )
    }
    await delay(20)
  }
  if (options.json === true) printJson(io, { down: true, pid: control.pid })
  else print(io, `it is down (process ${control.pid}).`)
}
