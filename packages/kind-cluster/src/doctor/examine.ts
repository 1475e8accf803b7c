import { Limit } from '../limit.js'
import { forPlace } from '../place.js'
import { shortCommandLine } from '../tools/command-line.js'
import { type Command, ToolError, type Tools } from '../tools.js'
import { clusterChecks, registryChecks } from './checks-cluster.js'
import { engineChecks } from './checks-engine.js'
import { machineChecks } from './checks-machine.js'
import { networkChecks } from './checks-network.js'
import { toolChecks } from './checks-tools.js'
import type { Check, CommandCheck, Finding, Ground, Judgement, Seen } from './types.js'

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

/** So many commands are under way at once: more than there are tools, so that those that hang keep no other from being asked. */
const atOnce = 12

/**
 * Goes through the checks side by side, so that a tool that hangs costs no more than its own time limit. What they find is told, and
 * given back, in their order. Nothing that a tool does makes it fail; it throws when it is called off, and then nothing runs any more.
 */
export async function examine(
  tools: Tools,
  ground: Ground,
  { signal, onFinding, ...options }: ExamineOptions = {},
): Promise<readonly Finding[]> {
  const over = new AbortController()
  const ending = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal])
  const limit = new Limit(atOnce)
  const bounded: Tools = { run: (command, run) => limit.run(() => tools.run(command, run)) }
  const asked = new Map<string, Promise<Seen>>()
  const seenOf = (command: Command): Promise<Seen> => {
    const line = shortCommandLine(command)
    const seen = asked.get(line) ?? ask(bounded, command, ending)
    asked.set(line, seen)
    return seen
  }
  const found = new Map<string, Promise<Finding>>()
  for (const check of checksFor(bounded, ground, options)) {
    const before = (check.after ?? []).flatMap((id) => found.get(id) ?? [])
    const coming = findingOf(check, before, seenOf, ending).then((one) => typed(one, ground))
    // Whoever waits for it is told why it failed; it may fail before its turn.
    coming.catch(() => {})
    found.set(check.id, coming)
  }
  try {
    const findings: Finding[] = []
    for (const coming of found.values()) {
      const finding = await coming
      signal?.throwIfAborted()
      findings.push(finding)
      onFinding?.(finding)
    }
    return findings
  } finally {
    over.abort(new Error('the doctor has ended'))
    await Promise.allSettled(found.values())
  }
}

async function findingOf(
  check: Check,
  before: readonly Promise<Finding>[],
  seenOf: (command: Command) => Promise<Seen>,
  signal: AbortSignal,
): Promise<Finding> {
  const broken = (await Promise.all(before)).find(({ status }) => status === 'fail' || status === 'skipped')
  signal.throwIfAborted()
  const { id, asks } = check
  const judgement: Judgement =
    broken === undefined
      ? await ('command' in check ? judged(check, seenOf) : check.look(signal))
      : { status: 'skipped', found: `not looked at, because of ${broken.id}` }
  return { id, asks, ...judgement, ...('command' in check && { command: check.command }) }
}

async function judged(check: CommandCheck, seenOf: (command: Command) => Promise<Seen>): Promise<Judgement> {
  const { command, besides } = check
  const [seen, other] = await Promise.all([seenOf(command), besides && seenOf(besides)])
  return check.judge(seen, other)
}

/** With command lines that mean the cluster of this place. */
function typed(finding: Finding, { place }: Ground): Finding {
  const { found, why, remedy } = finding
  return {
    ...finding,
    found: forPlace(found, place),
    ...(why !== undefined && { why: forPlace(why, place) }),
    ...(remedy && { remedy: remedy.map((line) => forPlace(line, place)) }),
  }
}

async function ask(tools: Tools, command: Command, signal: AbortSignal): Promise<Seen> {
  try {
    return { kind: 'answered', result: await tools.run(command, { signal }) }
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    return error.code === 'missing' ? { kind: 'missing' } : { kind: 'failed', error }
  }
}
