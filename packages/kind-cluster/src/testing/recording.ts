import { namesOurCluster, shortCommandLine } from '../tools/command-line.js'
import { type Command, type CommandResult, type RunOptions, ToolError, type Tools } from '../tools.js'

/** What a command is answered with. Without anything: code 0, and nothing said. */
export interface Answer {
  readonly code?: number
  readonly stdout?: string
  readonly stderr?: string
  /** Ended by a signal: no code then. */
  readonly signal?: NodeJS.Signals
  readonly durationMs?: number
  /** The program is not there; it took longer than it may; it said too much. */
  readonly fails?: ToolError['code']
  /** Says what it has to say, and does not end until the caller aborts it. */
  readonly hangs?: boolean
}

/** An answer; several, one after the other, the last one from then on; or one made from the command. */
export type Answers = Answer | readonly Answer[] | ((command: Command, nth: number) => Answer)

/**
 * Which commands: those whose command line begins with these words (`kubectl get nodes`; flags that name our cluster are not in it);
 * those that it matches; or those of which it is true.
 */
export type Matcher = string | RegExp | ((command: Command) => boolean)

export interface RecordingTools extends Tools {
  /** Every command that was asked for, in that order. */
  readonly asked: readonly Command[]
  /** The same as command lines, short: without the flags that name our cluster. */
  lines(): readonly string[]
  /** Command lines that ask a cluster and do not say, by file and context, that they mean ours. */
  astray(kubeconfig: string): readonly string[]
  /** Matchers that no command has met. */
  unused(): readonly string[]
}

/** Tools that run nothing: each command is looked up in the table, first match first. What is not in it fails the test. */
export function recordingTools(table: readonly (readonly [Matcher, Answers])[]): RecordingTools {
  const asked: Command[] = []
  const met = table.map(() => 0)
  return {
    asked,
    lines: () => asked.map(shortCommandLine),
    astray: (kubeconfig) => asked.filter((one) => !namesOurCluster(one, kubeconfig)).map(shortCommandLine),
    unused: () => table.flatMap(([matcher], at) => (met[at] === 0 ? [String(matcher)] : [])),
    run: async (command, options = {}) => {
      options.signal?.throwIfAborted()
      asked.push(command)
      const at = table.findIndex(([matcher]) => matches(matcher, command))
      const entry = table[at]
      if (entry === undefined) throw new Error(`the test's table has no answer for: ${shortCommandLine(command)}`)
      const nth = met[at] ?? 0
      met[at] = nth + 1
      return give(answerOf(entry[1], command, nth), command, options)
    },
  }
}

function matches(matcher: Matcher, command: Command): boolean {
  if (typeof matcher === 'function') return matcher(command)
  const line = shortCommandLine(command)
  return typeof matcher === 'string' ? `${line} `.startsWith(`${matcher} `) : matcher.test(line)
}

function answerOf(answers: Answers, command: Command, nth: number): Answer {
  if (typeof answers === 'function') return answers(command, nth)
  if (!isList(answers)) return answers
  return answers[Math.min(nth, answers.length - 1)] ?? {}
}

const isList = (answers: Answer | readonly Answer[]): answers is readonly Answer[] => Array.isArray(answers)

async function give(answer: Answer, command: Command, { onLine, signal }: RunOptions): Promise<CommandResult> {
  const { stdout = '', stderr = '', durationMs = 1 } = answer
  for (const stream of ['stdout', 'stderr'] as const)
    for (const line of (answer[stream] ?? '').split('\n').filter((one) => one !== '')) onLine?.(line, stream)
  if (answer.fails !== undefined) throw new ToolError(answer.fails, `${command.tool}: ${answer.fails}`, command)
  if (answer.hangs === true) await aborted(signal)
  const code = answer.signal === undefined ? (answer.code ?? 0) : undefined
  return { command, code, ...(answer.signal && { signal: answer.signal }), stdout, stderr, durationMs }
}

/** Rejects with the signal's reason. Without a signal it would wait for ever, and that is the test's mistake. */
function aborted(signal: AbortSignal | undefined): Promise<never> {
  if (signal === undefined) throw new Error('a command hangs, and was given no signal to end it by')
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
