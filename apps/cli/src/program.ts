import { Command, CommanderError } from 'commander'
import * as admit from './commands/admit.js'
import * as apply from './commands/apply.js'
import * as attack from './commands/attack.js'
import * as cluster from './commands/cluster.js'
import * as remove from './commands/delete.js'
import * as diff from './commands/diff.js'
import * as down from './commands/down.js'
import * as exec from './commands/exec.js'
import * as explain from './commands/explain.js'
import * as flows from './commands/flows.js'
import * as lab from './commands/lab.js'
import * as layer from './commands/layer.js'
import * as logs from './commands/logs.js'
import * as matrix from './commands/matrix.js'
import * as peel from './commands/peel.js'
import * as status from './commands/status.js'
import * as up from './commands/up.js'
import * as verdict from './commands/verdict.js'
import * as verify from './commands/verify.js'
import { columnsOf, fit } from './fit.js'
import { type Typed, typedFor } from './given.js'
import { signalExitCode } from './interrupt.js'
import { CliError, exitCodes, type Io, note, printable } from './io.js'
import type { OnOption, StateOption } from './options.js'
import { isReadByPrograms, RefusedWith, tellPrograms } from './refused.js'

/** In the order in which `npx bulkhead --help` lists them. */
const commands = [
  up,
  down,
  status,
  logs,
  exec,
  flows,
  attack,
  verify,
  explain,
  admit,
  matrix,
  diff,
  peel,
  verdict,
  layer,
  apply,
  remove,
  lab,
  cluster,
]

/** Longer lines of --help are harder to read. */
const widest = 110

export function createProgram(io: Io): Command {
  const program = new Command('bulkhead')
    .description(
      'Microservices whose walls you can test: brings them up on this machine, attacks them, and says which wall held.',
    )
    .version('0.1.0')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(fit(text, columnsOf(io.stdout))),
      writeErr: (text) => void io.stderr.write(fit(text, columnsOf(io.stderr))),
      // Said once and in one form with every other failure, in `run`.
      outputError: () => {},
      getOutHelpWidth: () => Math.min(widest, columnsOf(io.stdout) ?? widest),
      getErrHelpWidth: () => Math.min(widest, columnsOf(io.stderr) ?? widest),
    })
    // Options of `bulkhead exec shop/sleep -- curl -s` that belong to the program stay the program's.
    .enablePositionalOptions()
    .addHelpText(
      'after',
      `
Examples:
  $ npx bulkhead up
  $ npx bulkhead attack
  $ npx bulkhead explain shop/notsleep shop/web-api:8080 GET /

Exit code 2 always means that the command could not be understood or carried out; why is on stderr.`,
    )
  for (const command of commands) command.register(program, io)
  return program
}

/**
 * Runs one command line (without `node` and the script) and resolves with its exit code. Never rejects: a failure
 * is one sentence on stderr.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let exitCode: number = exitCodes.ok
  const recording: Io = {
    ...io,
    exit(code) {
      exitCode = code
      io.exit(code)
    },
  }
  const program = createProgram(recording)
  try {
    if (argv.length === 0) {
      program.outputHelp({ error: true })
      return exitCodes.badInput
    }
    await program.parseAsync([...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    return await report(error, io, argv, program)
  }
}

/** The command that a line begins with, or its subcommand. Undefined where it is none of ours. */
function namedIn([first, second]: readonly string[], program: Command): Command | undefined {
  const command = program.commands.find((one) => one.name() === first)
  return command?.commands.find((one) => one.name() === second) ?? command
}

/** `cluster up` */
const nameOf = (command: Command, program: Command): string =>
  command.parent === null || command.parent === program ? command.name() : `${command.parent.name()} ${command.name()}`

/** How what is to be typed is told where the cluster is that a command was given; undefined for one that asks no cluster. */
async function typedIn(command: Command, io: Io): Promise<Typed | undefined> {
  const options = command.opts<StateOption & OnOption>()
  return options.on === 'kind' || command.parent?.name() === 'cluster' ? typedFor(io, options) : undefined
}

/** Says why the command of a line ended: to people, and where they read its result to programs. Returns the exit code. */
async function report(error: unknown, io: Io, argv: readonly string[], program: Command): Promise<number> {
  // --help and --version end this way too; they have been answered.
  if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok
  // A command of commands without one: its help is on stderr already.
  if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.badInput
  const command = namedIn(argv, program)
  const forPrograms = command !== undefined && isReadByPrograms(command, argv)
  if (error instanceof CommanderError) {
    const sentence = error.message
      .replace(/^error: /, '')
      .replace(/ is invalid\. /, ' is invalid: ')
      .replace(/\n/g, ' ')
      .replace(/\.+$/, '')
    const where =
      command === undefined
        ? '`npx bulkhead --help` lists the commands.'
        : `\`npx bulkhead ${nameOf(command, program)} --help\` says how it is written.`
    const refusal = new RefusedWith('usage', `${sentence}. ${where}`)
    if (forPrograms) tellPrograms(refusal, io)
    note(io, printable(`bulkhead: ${refusal.message}`))
    return exitCodes.badInput
  }
  if (io.signal.aborted && error instanceof Error && error.name === 'AbortError')
    return signalExitCode(io.signal.reason)
  if (io.signal.aborted && error === io.signal.reason) {
    // A reader that went away has no use for a sentence.
    if (error !== 'SIGPIPE') note(io, 'bulkhead: interrupted.')
    return signalExitCode(error)
  }
  const typed = command === undefined ? undefined : await typedIn(command, io)
  const message = error instanceof Error ? error.message : String(error)
  if (forPrograms) tellPrograms(error, io, typed)
  note(io, printable(`bulkhead: ${typed === undefined ? message : typed(message)}`))
  if (io.env.BULKHEAD_DEBUG && error instanceof Error && error.stack) io.stderr.write(`${error.stack}\n`)
  return error instanceof CliError ? error.exitCode : exitCodes.badInput
}
