import { hash } from 'node:crypto'
import type { Intent } from './types.js'

/** The root over no intents: SHA-256 of nothing. */
export const EMPTY_ROOT = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

/** `k=v` of each label, sorted as bytes. */
function labelsOf({ podLabels }: Intent): string {
  return Object.entries(podLabels)
    .map(([key, value]) => Buffer.from(`${key}=${value}`))
    .sort(Buffer.compare)
    .join(',')
}

/**
 * An intent as the text that is hashed (contract manager 1.10). Nothing is escaped; of intents that the schema lets through, two texts
 * are the same only if the intents are: nothing but the expression can hold a `|`, and what stands behind it is read from the end.
 */
export function leafText(intent: Intent): string {
  const { podName, podID, nodeID, k8sNamespace, commandRegex, priority, executionTime } = intent
  return (
    `podName=${podName}|podID=${podID}|nodeID=${nodeID}|k8sNamespace=${k8sNamespace}|commandRegex=${commandRegex}` +
    `|priority=${priority}|executionTime=${executionTime}|podLabels=${labelsOf(intent)}`
  )
}

/** SHA-256 of the leaf's text, in lowercase hex. */
export const leafHash = (intent: Intent): string => hash('sha256', leafText(intent))

function orderKey(intent: Intent): Buffer {
  const { podName, podID, nodeID, k8sNamespace, commandRegex, priority, executionTime } = intent
  return Buffer.from(
    `${podName}|${podID}|${nodeID}|${k8sNamespace}|${commandRegex}|${priority}|${executionTime}|${labelsOf(intent)}`,
  )
}

/** The intents in the tree's order: by their fields' bytes, numbers as text. JavaScript's own order of strings is another one (UTF-16). */
export function inOrder(intents: readonly Intent[]): Intent[] {
  return intents
    .map((intent) => ({ intent, key: orderKey(intent) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ intent }) => intent)
}

/**
 * The root over a node's intents, in whatever order they come: 64 lowercase hex digits (contract manager 1.10).
 *
 * An odd last node is paired with itself, so that a set whose last leaf stands twice has the root of the set in which it stands once.
 * The root alone therefore does not say that two sets are the same: a report carries the version and the count beside it.
 */
export function merkleRoot(intents: readonly Intent[]): string {
  if (intents.length === 0) return EMPTY_ROOT
  let level: Buffer[] = inOrder(intents).map((intent) => hash('sha256', leafText(intent), 'buffer'))
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
