import {
  type Intent,
  intentSchema,
  MAX_EXPRESSIONS,
  MAX_INTENTS,
  MAX_SET_BYTES,
  readCommandRegex,
} from '@bulkhead/intents'
import type { ObjectId } from 'mongodb'
import { type IntentDoc, intentState } from '../store/documents.js'

/** What of a node's intents a scheduler is told, and what is left out. */
export interface Fitting {
  readonly intents: readonly Intent[]
  /** Of those, the ones that are not noted as sent yet. */
  readonly unsent: readonly ObjectId[]
  /** Of what is left out, the first few, and why. */
  readonly left: readonly string[]
  readonly leftOut: number
}

/** As many are named as a line of the log can bear. */
const NAMED = 5

/** Room for the version and the brackets around. */
const FRAME_BYTES = 64

/**
 * The part of a node's intents that its scheduler will take: it refuses a set as a whole when one intent in it is not as agreed, or when
 * there is too much. What comes of one pod's labels or of one user's strategies must not silence the node for all others, so what does
 * not fit is left out, and the older is kept before the younger. The same documents always come to the same set.
 *
 * @param documents in any order
 */
export function fitting(documents: readonly IntentDoc[]): Fitting {
  const intents: Intent[] = []
  const unsent: ObjectId[] = []
  const left: string[] = []
  let leftOut = 0
  let bytes = FRAME_BYTES
  const expressions = new Set<string>()
  for (const document of [...documents].sort((a, b) => Buffer.compare(a._id.id, b._id.id))) {
    const intent = wireIntent(document)
    const size = Buffer.byteLength(JSON.stringify(intent)) + 1
    const why = problemOf(intent) ?? tooMuch(intents.length, bytes + size, expressions, intent)
    if (why !== undefined) {
      leftOut++
      if (left.length < NAMED) left.push(`${intent.k8sNamespace}/${intent.podName}: ${why}`)
      continue
    }
    bytes += size
    if (intent.commandRegex !== '') expressions.add(intent.commandRegex)
    intents.push(intent)
    if (Number(document.state) !== intentState.sent) unsent.push(document._id)
  }
  return { intents, unsent, left, leftOut }
}

/** An intent as schedulers take it (contracts/scheduler 2.1). */
export function wireIntent(document: IntentDoc): Intent {
  const { podName, podID, nodeID, k8sNamespace, commandRegex, priority, executionTime, podLabels } = document
  return {
    podName,
    podID,
    nodeID,
    k8sNamespace,
    commandRegex,
    priority: Number(priority),
    executionTime: Number(executionTime),
    podLabels,
  }
}

function problemOf(intent: Intent): string | undefined {
  const read = intentSchema.safeParse(intent)
  if (!read.success) {
    const [issue] = read.error.issues
    return `${issue?.path.join('.')} ${issue?.message}`
  }
  return regexProblem(intent.commandRegex)
}

/** Expressions that were read before: the same few are in every set, and reading one costs as much as ten intents. */
const known = new Map<string, string | undefined>()
const MAX_KNOWN = 10_000

function regexProblem(expression: string): string | undefined {
  if (expression === '') return undefined
  if (!known.has(expression)) {
    const read = readCommandRegex(expression)
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(expression, typeof read === 'string' ? `commandRegex ${read}` : undefined)
  }
  return known.get(expression)
}

function tooMuch(
  count: number,
  bytes: number,
  expressions: ReadonlySet<string>,
  { commandRegex }: Intent,
): string | undefined {
  if (count >= MAX_INTENTS) return `the node has ${MAX_INTENTS} intents already`
  if (bytes > MAX_SET_BYTES) return `the node's set would be larger than ${MAX_SET_BYTES} bytes`
  if (commandRegex !== '' && !expressions.has(commandRegex) && expressions.size >= MAX_EXPRESSIONS)
    return `the node has ${MAX_EXPRESSIONS} expressions already`
  return undefined
}
