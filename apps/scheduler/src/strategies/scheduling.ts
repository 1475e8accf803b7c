import { setImmediate } from 'node:timers/promises'
import type { ReadyIntent } from '../intents/compile.js'
import { type InForce, processKey } from '../intents/node-intents.js'
import type { NodeProcesses } from '../processes/source.js'

/** What holds a pod's namespaces open: it does no work, and is never meant. */
const PAUSE = 'pause'

/** Milliseconds of this before others have their turn. */
const TURN_MS = 2

/** One process, and the intent that is for it. */
export interface Scheduled {
  readonly pid: number
  readonly by: ReadyIntent
}

/**
 * Which process is scheduled by which intent: each by one at the most, of several the one whose priority has the lowest number, and of
 * those the newest, which is the last of the set (D8). In the order of the set, and of the processes' numbers.
 *
 * Who has many strategies for one pod, and many processes in it, makes each expression be asked of each: others are answered in between.
 */
export async function schedule({ intents, without }: InForce, { pods }: NodeProcesses): Promise<Scheduled[]> {
  const byPod = new Map<string, { readonly by: ReadyIntent; readonly at: number }[]>()
  for (const [at, by] of intents.entries()) {
    const known = byPod.get(by.intent.podID)
    if (known === undefined) byPod.set(by.intent.podID, [{ by, at }])
    else known.push({ by, at })
  }
  const found: (Scheduled & { readonly at: number })[] = []
  let turn = performance.now()
  for (const [podID, candidates] of byPod) {
    candidates.sort((a, b) => a.by.intent.priority - b.by.intent.priority || b.at - a.at)
    const out = without.get(podID)
    for (const { pid, command, startTime } of pods.get(podID) ?? []) {
      if (performance.now() - turn > TURN_MS) {
        await setImmediate()
        turn = performance.now()
      }
      if (command === PAUSE || out?.has(processKey(pid, startTime))) continue
      const first = candidates.find(({ by: { regex } }) => regex === undefined || regex.matches(command))
      if (first !== undefined) found.push({ pid, ...first })
    }
  }
  return found.sort((a, b) => a.at - b.at || a.pid - b.pid).map(({ pid, by }) => ({ pid, by }))
}

/** Of the selectors in one answer, in characters: who makes a pod chooses its labels, and each of its processes repeats them. */
export const MAX_SELECTORS = 8 * 1024 * 1024

/** `scheduling` of the contract, as JSON. Selectors beyond the bound are left out: the process is named by its number anyway. */
export function schedulingJson(scheduled: readonly Scheduled[]): string {
  let selectors = 0
  const entries = scheduled.map(({ pid, by }) => {
    const { priority, executionTime, commandRegex } = by.intent
    selectors += by.selectors.length
    const labels = by.selectors === '' || selectors > MAX_SELECTORS ? '' : `,"selectors":${by.selectors}`
    const regex = commandRegex === '' ? '' : `,"command_regex":${JSON.stringify(commandRegex)}`
    return `{"priority":${priority},"execution_time":${executionTime},"pid":${pid}${labels}${regex}}`
  })
  return `[${entries.join(',')}]`
}
