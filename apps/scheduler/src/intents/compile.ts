import { setImmediate } from 'node:timers/promises'
import { type CommandRegex, type Intent, MAX_EXPRESSIONS, readCommandRegex, type SetProblem } from '@bulkhead/intents'

/** An intent that is ready to be asked of a process. */
export interface ReadyIntent {
  readonly intent: Intent
  /** Over `comm`; absent: every process. */
  readonly regex?: CommandRegex
  /** The pod's labels as JSON, `[{"key":...,"value":...}]`, sorted as bytes by key; empty: it has none. */
  readonly selectors: string
}

/** Compiling goes on for this many expressions, of a millisecond each at the worst, before others have their turn. */
const BATCH = 10

const MOST_PROBLEMS = 20

/**
 * Compiles what a set says, each expression once, and holds it against the node that it is for (D3, D8). Nothing of a set that has a
 * mistake is ever in force.
 * @returns the intents in the set's order, or what is wrong with which
 */
export async function compileIntents(
  node: string,
  intents: readonly Intent[],
): Promise<readonly ReadyIntent[] | { readonly problems: readonly SetProblem[] }> {
  const compiled = new Map<string, CommandRegex | string>()
  const ready: ReadyIntent[] = []
  const problems: SetProblem[] = []
  const wrong = (field: string, message: string): void => void problems.push({ field, message, type: false })
  for (const [index, intent] of intents.entries()) {
    const { nodeID, commandRegex } = intent
    if (nodeID !== node) wrong(`intents[${index}].nodeID`, `is ${nodeID}, and this is the scheduler of ${node}`)
    let regex = compiled.get(commandRegex)
    if (regex === undefined && commandRegex !== '') {
      if (compiled.size === MAX_EXPRESSIONS) {
        wrong('intents', `hold more than ${MAX_EXPRESSIONS} different expressions`)
        break
      }
      regex = readCommandRegex(commandRegex)
      compiled.set(commandRegex, regex)
      if (compiled.size % BATCH === 0) await setImmediate()
    }
    if (typeof regex === 'string') wrong(`intents[${index}].commandRegex`, regex)
    else ready.push({ intent, selectors: selectorsOf(intent), ...(regex === undefined ? {} : { regex }) })
    if (problems.length >= MOST_PROBLEMS) break
  }
  return problems.length > 0 ? { problems: problems.slice(0, MOST_PROBLEMS) } : ready
}

function selectorsOf({ podLabels }: Intent): string {
  const labels = Object.entries(podLabels).map(([key, value]) => ({ key, value }))
  if (labels.length === 0) return ''
  // Keys are ASCII: this is the order of their bytes.
  labels.sort((a, b) => (a.key < b.key ? -1 : 1))
  return JSON.stringify(labels)
}
