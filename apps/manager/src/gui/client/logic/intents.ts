import type { Intent } from '../api/types.js'

export interface NodeIntents {
  /** Empty: pods that are on no node yet. */
  readonly node: string
  readonly intents: readonly Intent[]
  readonly sent: number
}

/** The intents by node, by name; those of no node last. */
export function byNode(intents: readonly Intent[]): readonly NodeIntents[] {
  const nodes = new Map<string, Intent[]>()
  for (const intent of intents) {
    const list = nodes.get(intent.nodeId)
    if (list === undefined) nodes.set(intent.nodeId, [intent])
    else list.push(intent)
  }
  return [...nodes]
    .sort(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1))
    .map(([node, list]) => ({ node, intents: list, sent: list.filter(({ state }) => state === 2).length }))
}

export const nodeWords = (node: string): string => (node === '' ? 'On no node yet' : node)
