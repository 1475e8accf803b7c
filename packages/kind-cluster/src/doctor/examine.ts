import { shortCommandLine } from '../tools/command-line.js'
import { type Command, ToolError, type Tools } from '../tools.js'
import { clusterChecks, registryChecks } from './checks-cluster.js'
import { engineChecks } from './checks-engine.js'
import { machineChecks } from './checks-machine.js'
import { networkChecks } from './checks-network.js'
import { toolChecks } from './checks-tools.js'
import type { Check, Finding, Ground, Judgement, Seen } from './types.js'

export interface ExamineOptions {
  /** Asks the registries, too. It takes a while, and counts as pulls. */
  readonly registries?: boolean
  /** Sends the canary into a cluster of ours. Default: yes. */
  readonly canary?: boolean
  readonly signal?: AbortSignal
  /** Told each as it is found. */
  readonly onFinding?: (finding: Finding) => void
}

/** Everything that is looked at, in order: what others depend on comes first. */
export function checksFor(tools: Tools, ground: Ground, options: ExamineOptions = {}): readonly Check[] {
  return [
    ...engineChecks(ground),
    ...toolChecks(ground),
    ...machineChecks(ground),
    ...networkChecks(ground),
    ...(options.registries === true ? registryChecks(ground) : []),
    ...clusterChecks(tools, ground, options.canary !== false),
  ]
}

/** Goes through the checks. Nothing that a tool does makes it fail; it throws when it is called off. */
export async function examine(tools: Tools, ground: Ground, options: ExamineOptions = {}): Promise<readonly Finding[]> {
  const { signal, onFinding } = options
  const asked = new Map<string, Promise<Seen>>()
  const findings: Finding[] = []
  for (const check of checksFor(tools, ground, options)) {
    signal?.throwIfAborted()
    const judgement = await judged(
      check,
      findings,
      (command) => {
        const line = shortCommandLine(command)
        const seen = asked.get(line) ?? ask(tools, command, signal)
        asked.set(line, seen)
        return seen
      },
      signal,
    )
    const { id, asks } = check
    const finding: Finding = { id, asks, ...judgement, ...('command' in check && { command: check.command }) }
    findings.push(finding)
    onFinding?.(finding)
  }
  return findings
}

async function judged(
  check: Check,
  before: readonly Finding[],
  seenOf: (command: Command) => Promise<Seen>,
  signal: AbortSignal | undefined,
): Promise<Judgement> {
  const broken = before.find(
    ({ id, status }) => check.after?.includes(id) && (status === 'fail' || status === 'skipped'),
  )
  if (broken !== undefined) return { status: 'skipped', found: `not looked at, because of ${broken.id}` }
  return 'command' in check ? check.judge(await seenOf(check.command)) : check.look(signal)
}

async function ask(tools: Tools, command: Command, signal: AbortSignal | undefined): Promise<Seen> {
  try {
    return { kind: 'answered', result: await tools.run(command, signal === undefined ? {} : { signal }) }
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    return error.code === 'missing' ? { kind: 'missing' } : { kind: 'failed', error }
  }
}
