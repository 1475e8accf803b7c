import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { type Command, type CommandResult, type RunOptions, ToolError, type Tools } from '../tools.js'
import { shortCommandLine } from './command-line.js'
import { childEnv } from './env.js'
import { endGroup, tied } from './group.js'
import { type CommandLog, commandLogger, noLog } from './log.js'
import { Output } from './output.js'

export interface SpawnOptions {
  /** Where commands run that name no folder: the clone. */
  readonly cwd: string
  readonly log?: CommandLog
  /** Default: this process's own. Which cluster is meant no command learns from it. */
  readonly env?: NodeJS.ProcessEnv
  /** What a command may say before it is ended, in bytes. Default: 32 MiB. */
  readonly keepBytes?: number
  /** Between asking a command to end and ending it. Default: 5 s. */
  readonly graceMs?: number
}

type Settings = Required<SpawnOptions>

/** Runs commands as child processes, each in a process group of its own, so that it can be ended with all that it has started. */
export function spawnTools(options: SpawnOptions): Tools {
  const settings = { log: noLog, env: process.env, keepBytes: 32 * 1024 * 1024, graceMs: 5_000, ...options }
  return { run: (command, run = {}) => runOne(command, run, settings) }
}

async function runOne(command: Command, run: RunOptions, settings: Settings): Promise<CommandResult> {
  run.signal?.throwIfAborted()
  const linesOnly = run.linesOnly === true
  const log = commandLogger(settings.log, command, linesOnly)
  const began = performance.now()
  const cwd = command.cwd ?? settings.cwd
  const env = childEnv(settings.env, command.env)
  const child = spawn(command.tool, command.args, { cwd, env, detached: true, stdio: 'pipe' })
  const untie = child.pid === undefined ? () => {} : tied(child.pid, command.graceMs === undefined ? 'killed' : 'asked')
  // Who does not read all of its stdin may end before all of it is written.
  child.stdin.on('error', () => {}).end(command.stdin ?? '')
  const over = new AbortController()
  const output = new Output(child, {
    keepBytes: settings.keepBytes,
    linesOnly,
    onTooMuch: () => over.abort(tooMuch(command, settings.keepBytes)),
    onLine: (line, stream) => {
      log.line(line, stream)
      run.onLine?.(line, stream)
    },
  })

  const ended = await endOf(child, command, [over.signal, run.signal], settings)
  if (ended !== 'closed') await endChild(child, command.graceMs ?? settings.graceMs)
  untie()
  output.end()
  const durationMs = performance.now() - began
  const fault = ended instanceof Fault ? (startFault(ended.cause, command, cwd) ?? ended.cause) : undefined
  log.ended(fault instanceof Error ? fault.message : exitOf(child), durationMs)
  if (fault !== undefined) throw fault
  const { exitCode, signalCode } = child
  const texts = { stdout: output.text('stdout'), stderr: output.text('stderr') }
  return { command, code: exitCode ?? undefined, ...(signalCode && { signal: signalCode }), ...texts, durationMs }
}

/** Why a command has to be ended. What aborts may give any value as its reason. */
class Fault {
  readonly cause: unknown

  constructor(cause: unknown) {
    this.cause = cause
  }
}

/** How a command comes to its end: of its own accord; so, but something it has started holds its output; or it has to be ended. */
function endOf(
  child: ChildProcessWithoutNullStreams,
  command: Command,
  signals: readonly (AbortSignal | undefined)[],
  { graceMs }: Settings,
): Promise<'closed' | 'held' | Fault> {
  const timers: NodeJS.Timeout[] = []
  const over = new AbortController()
  const signal = AbortSignal.any(signals.filter((one) => one !== undefined))
  return new Promise<'closed' | 'held' | Fault>((resolve) => {
    timers.push(setTimeout(() => resolve(new Fault(tooLong(command))), command.timeoutMs))
    child.once('error', (error) => resolve(new Fault(error)))
    child.once('exit', () => timers.push(setTimeout(() => resolve('held'), graceMs)))
    child.once('close', () => resolve('closed'))
    signal.addEventListener('abort', () => resolve(new Fault(signal.reason)), { signal: over.signal })
  }).finally(() => {
    for (const timer of timers) clearTimeout(timer)
    over.abort()
  })
}

async function endChild(child: ChildProcessWithoutNullStreams, graceMs: number): Promise<void> {
  if (child.pid === undefined) return
  await endGroup(child.pid, graceMs)
  if (child.exitCode === null && child.signalCode === null) await Promise.race([once(child, 'exit'), wait(graceMs)])
  // Held by a process that left the group: nobody reads it any more.
  child.stdout.destroy()
  child.stderr.destroy()
}

function exitOf({ exitCode, signalCode }: ChildProcessWithoutNullStreams): string {
  return signalCode === null ? `exit ${exitCode}` : `ended by ${signalCode}`
}

const tooLong = (command: Command): ToolError =>
  new ToolError(
    'timeout',
    `${shortCommandLine(command)} took longer than ${command.timeoutMs / 1000} s and was ended, with all that it had started`,
    command,
  )

const tooMuch = (command: Command, bytes: number): ToolError =>
  new ToolError(
    'output',
    `${shortCommandLine(command)} said more than ${Math.round(bytes / 1024)} KiB and was ended, with all that it had started`,
    command,
  )

/** A system error of the start, in words; undefined when it is none. */
function startFault(cause: unknown, command: Command, cwd: string): ToolError | undefined {
  if (!(cause instanceof Error) || !('syscall' in cause) || !String(cause.syscall).startsWith('spawn')) return undefined
  if (!existsSync(cwd))
    return new ToolError(
      'missing',
      `${command.tool} could not start: there is no folder ${JSON.stringify(cwd)}`,
      command,
    )
  const why = 'code' in cause && cause.code === 'ENOENT' ? 'no program of that name is in PATH' : cause.message
  return new ToolError(
    'missing',
    `${command.tool} could not start: ${why}. \`npx bulkhead cluster doctor\` says what is needed and how to get it`,
    command,
  )
}
