import { hash } from 'node:crypto'
import type { Intent } from './types.js'

/** The root over no intents: SHA-256 of nothing. */
export const EMPTY_ROOT = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/**
 * Sorts strings, or what has one, by their bytes in UTF-8. JavaScript's own order (UTF-16) is another one where there are characters
 * beyond U+FFFF, and the same otherwise.
 */
function sortByBytes<T>(all: T[], textOf: (one: T) => string): T[] {
  if (all.some((one) => SURROGATE.test(textOf(one))))
    return all.sort((a, b) => Buffer.compare(Buffer.from(textOf(a)), Buffer.from(textOf(b))))
  return all.sort((a, b) => {
    const [left, right] = [textOf(a), textOf(b)]
    return left < right ? -1 : left > right ? 1 : 0
  })
}

/** Half of a character beyond U+FFFF: the expression is one of 16-bit units. */
const SURROGATE = /[\ud800-\udfff]/

/** `k=v` of each label, sorted by the whole of it. */
function labelsOf({ podLabels }: Intent): string {
  const labels: string[] = []
  for (const key of Object.keys(podLabels)) labels.push(`${key}=${podLabels[key]}`)
  return sortByBytes(labels, (label) => label).join(',')
}

/**
 * An intent as the text that is hashed (contract manager 1.10). Nothing is escaped; of intents that the schema lets through, two texts
 * are the same only if the intents are: nothing but the expression can hold a `|`, and what stands behind it is read from the end.
 */
export const leafText = (intent: Intent): string => textsOf(intent).leaf

/** SHA-256 of the leaf's text, in lowercase hex. */
export const leafHash = (intent: Intent): string => hash('sha256', leafText(intent))

interface Texts {
  readonly intent: Intent
  readonly leaf: string
  /** What leaves are sorted by: the fields alone, numbers as text. */
  readonly order: string
}

function textsOf(intent: Intent): Texts {
  const { podName, podID, nodeID, k8sNamespace, commandRegex, priority, executionTime } = intent
  const labels = labelsOf(intent)
  return {
    intent,
    leaf:
      `podName=${podName}|podID=${podID}|nodeID=${nodeID}|k8sNamespace=${k8sNamespace}|commandRegex=${commandRegex}` +
      `|priority=${priority}|executionTime=${executionTime}|podLabels=${labels}`,
    order: `${podName}|${podID}|${nodeID}|${k8sNamespace}|${commandRegex}|${priority}|${executionTime}|${labels}`,
  }
}

const sorted = (intents: readonly Intent[]): Texts[] => sortByBytes(intents.map(textsOf), ({ order }) => order)

/** The intents in the tree's order. */
export const inOrder = (intents: readonly Intent[]): Intent[] => sorted(intents).map(({ intent }) => intent)

/**
 * The root over a node's intents, in whatever order they come: 64 lowercase hex digits (contract manager 1.10).
 *
 * An odd last node is paired with itself, so that a set whose last leaf stands twice has the root of the set in which it stands once.
 * The root alone therefore does not say that two sets are the same: a report carries the version and the count beside it.
 */
export function merkleRoot(intents: readonly Intent[]): string {
  if (intents.length === 0) return EMPTY_ROOT
  let level: Buffer[] = sorted(intents).map(({ leaf }) => hash('sha256', leaf, 'buffer'))
  while (level.length > 1) {
    const above: Buffer[] = []
    for (let at = 0; at < level.length; at += 2) {
      const left = level[at] as Buffer
      above.push(hash('sha256', Buffer.concat([left, level[at + 1] ?? left]), 'buffer'))
    }
    level = above
  }
  return (level[0] as Buffer).toString('hex')
}
