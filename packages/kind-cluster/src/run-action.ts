import { setTimeout as delay } from 'node:timers/promises'
import type { Action } from './plan/types.js'
import type { Command, CommandResult, RunOptions, Tools } from './tools.js'

/** Between two tries of what is not so yet. */
const PAUSE_MS = 2_000
/** A policy is asked a moment after Kyverno says that it is ready: the API server has to hear of it first. */
const REFUSED_WITHIN_MS = 60_000

/** A command did not do what it was there for. */
export class ActionError extends Error {
  override readonly name = 'ActionError'
  readonly result: CommandResult

  constructor(message: string, result: CommandResult) {
    super(message)
    this.result = result
  }
}

export interface ActionOptions extends RunOptions {
  /** Makes the text of a `piped` action. */
  readonly secretsText: () => Promise<string>
  /** Between two tries. Default: two seconds. */
  readonly pauseMs?: number
  /** Milliseconds of a clock that is never set back. Default: the process's own. */
  readonly elapsedMs?: () => number
}

/**
 * Does one action.
 * @returns how its command ended; for the suite whatever it ended with
 * @throws ActionError, ToolError, or the signal's reason
 */
export async function runAction(tools: Tools, action: Action, options: ActionOptions): Promise<CommandResult> {
  switch (action.kind) {
    case 'refused':
      return until(tools, action.command, REFUSED_WITHIN_MS, options, (result) => refusal(action.by, result))
    case 'says':
      return until(tools, action.command, action.withinMs, options, (result) => {
        if (result.code !== 0) return endedWith(result)
        return result.stdout.includes(action.text) ? undefined : `the answer has no ${action.text} in it`
      })
    case 'suite': {
      const result = await tools.run(action.command, options)
      if (result.code === 0 || result.code === 1) return result
      throw new ActionError(endedWith(result), result)
    }
    case 'piped':
      return run(tools, { ...action.command, stdin: await options.secretsText() }, options)
    default:
      return run(tools, action.command, options)
  }
}

async function run(tools: Tools, command: Command, options: RunOptions): Promise<CommandResult> {
  const result = await tools.run(command, options)
  if (result.code === 0) return result
  throw new ActionError(endedWith(result), result)
}

/**
 * Again until nothing is wrong any more, or the time is over: then what is wrong is thrown. No try begins after the time, however long
 * each of them takes; one that has begun has its command's own limit.
 */
async function until(
  tools: Tools,
  command: Command,
  withinMs: number,
  options: ActionOptions,
  wrongWith: (result: CommandResult) => string | undefined,
): Promise<CommandResult> {
  const { pauseMs = PAUSE_MS, signal, elapsedMs = () => performance.now() } = options
  const began = elapsedMs()
  for (let tries = 1; ; tries += 1) {
    const result = await tools.run(command, options)
    const wrong = wrongWith(result)
    if (wrong === undefined) return result
    const took = elapsedMs() - began
    if (took + pauseMs >= withinMs) {
      const often = tries === 1 ? 'once' : `${tries} times`
      throw new ActionError(`${wrong}, and was asked ${often} in ${Math.round(took / 1000)} s`, result)
    }
    await delay(pauseMs, undefined, { ...(signal && { signal }) })
  }
}

/** What is wrong with an answer that should be a refusal by this policy. */
function refusal(policy: string, result: CommandResult): string | undefined {
  const admitted = result.stdout.split('\n').filter((line) => line.includes('created (server dry run)'))
  if (admitted.length > 0) return `${policy} let something in: ${admitted.join('; ')}`
  if (result.code === 0 || !result.stderr.includes(`Policy ${policy} failed`)) return `${policy} is not what refused it`
  return undefined
}

export const endedWith = ({ code, signal }: CommandResult): string =>
  code === undefined ? `it was ended (${signal ?? 'by a signal'})` : `it ended with code ${code}`
