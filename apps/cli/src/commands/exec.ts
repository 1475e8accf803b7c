import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { type ControlClient, ControlError } from '@bulkhead/control'
import type { FlowRecord } from '@bulkhead/verdict'
import type { Command } from 'commander'
import { CliError, type Io, note } from '../io.js'
import { type StateOption, withHelp, withState } from '../options.js'
import { findTarget } from '../target/find.js'
import { failureText } from '../target/flow-line.js'

export function register(program: Command, io: Io): void {
  const command = program
    .command('exec')
    .description(
      'Run a program of this machine as a workload: with its identity and environment, from its address, behind its walls.',
    )
    .argument('<workload>', 'namespace/workload, or namespace/pod')
    .argument('<command...>', 'the program and its arguments, after --')
    .passThroughOptions()
    .action((workload: string, argv: string[], options: StateOption) =>
      // What follows the workload is passed through as it is, the -- with it.
      exec(workload, argv[0] === '--' ? argv.slice(1) : argv, options, io),
    )
  withHelp(withState(command), {
    examples: [
      'npx bulkhead exec shop/sleep -- curl -s http://web-api:8080/',
      'npx bulkhead exec shop/web-api -- env',
      'npx bulkhead exec shop/notsleep -- node -e \'fetch("http://web-api:8080/").then(r => r.text()).then(console.log, console.error)\'',
    ],
    exit: "the program's own; 127 when it is not found, 2 when there is no such workload or nothing is up.",
  })
}

async function exec(workload: string, argv: readonly string[], options: StateOption, io: Io): Promise<void> {
  const [program = '', ...args] = argv
  if (program === '') throw new CliError('there is no program to run; write it after --.')
  if (program.startsWith('-')) {
    throw new CliError(
      `${JSON.stringify(program)} is no program; options of exec go before the workload: bulkhead exec ${argv.join(' ').replace(/ ?-- .*/, '')} ${workload} -- PROGRAM`,
    )
  }
  const client = findTarget(io, options)
  const grant = await client.exec(workload)
  let code: number
  try {
    code = await runProgram(program, args, execEnv(io.env, grant.env), io)
  } finally {
    await grant.close()
  }
  io.exit(code)
  try {
    for (const text of failures(await finished(client, grant.run))) note(io, text)
  } catch (error) {
    // The program has run, and its exit code stands.
    if (!(error instanceof ControlError)) throw error
    note(io, `bulkhead: how its connections ended is not known: ${error.message}`)
  }
}

/** More reasons than these are not read. */
const maxReasons = 10

/** Each way in which connections of the run failed, once, with how many did. */
export function failures(flows: readonly FlowRecord[]): readonly string[] {
  const counts = new Map<string, number>()
  for (const record of flows) {
    const text = failureText(record)
    if (text !== undefined) counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  const said = [...counts].map(([text, count]) => `bulkhead: ${count === 1 ? '' : `${count} times: `}${text}`)
  if (said.length <= maxReasons) return said
  return [
    ...said.slice(0, maxReasons),
    `bulkhead: ${said.length - maxReasons} more ways to fail; \`npx bulkhead flows\` has them.`,
  ]
}

/** What finds a program, and what tells it of the terminal. */
const ofTheUser = /^(PATH|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|COLUMNS|LINES|TZ|LANG|LC_\w+)$/

/**
 * The pod's environment, as it would be in `kubectl exec`. Nothing else of the user's goes along: neither secrets, nor
 * settings (a proxy, a .curlrc in HOME) that would lead past the mesh.
 */
export function execEnv(user: Io['env'], pod: Readonly<Record<string, string>>): Record<string, string> {
  const env = { ...pod }
  for (const [name, value] of Object.entries(user)) if (value !== undefined && ofTheUser.test(name)) env[name] = value
  return env
}

async function runProgram(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
  io: Io,
): Promise<number> {
  const child = spawn(program, args, { env, cwd: io.cwd, stdio: 'inherit' })
  // A terminal tells the program itself of Ctrl-C; other signals come to us alone.
  const passOn = () => {
    if (io.signal.reason !== 'SIGINT') child.kill(io.signal.reason as NodeJS.Signals)
  }
  io.signal.addEventListener('abort', passOn, { once: true })
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return signal === null ? (code ?? 1) : 128 + constants.signals[signal]
  } catch (error) {
    const found = (error as NodeJS.ErrnoException).code
    const why =
      found === 'ENOENT'
        ? 'is not there: exec runs programs of this machine, and this one is not found on the PATH. Install it, or name it with its path'
        : `cannot be run (${found ?? String(error)})`
    note(io, `bulkhead: ${JSON.stringify(program)} ${why}.`)
    return found === 'ENOENT' ? 127 : 126
  } finally {
    io.signal.removeEventListener('abort', passOn)
  }
}

/** The records of the run, once no more of them come: its connections were closed with its grant. */
async function finished(client: ControlClient, run: string): Promise<readonly FlowRecord[]> {
  let flows = await client.flows({ run })
  for (let tries = 0; tries < 10; tries++) {
    await delay(30)
    const again = await client.flows({ run })
    if (again.length === flows.length && again.length > 0) return again
    flows = again
  }
  return flows
}
