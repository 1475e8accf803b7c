import { type CommandRegex, readCommandRegex } from '@bulkhead/intents'
import type { PodView } from '../kubernetes/types.js'

/** Which pods a strategy is for. All that is given has to hold. */
export interface Criteria {
  /** A pod needs every one of these labels; an empty value asks for the label alone, whatever it says. */
  readonly labelSelectors: readonly { readonly key: string; readonly value: string }[]
  /** Empty: all namespaces. */
  readonly k8sNamespace: readonly string[]
  /** RE2, over each container's command and args; empty: not asked. */
  readonly commandRegex: string
}

/** How long the expressions of one strategy may run, in ms: nobody else is answered meanwhile. */
export const EXPAND_BUDGET_MS = 250

/** The expression, legal as it is, takes longer over this cluster's command lines than it may. */
export class TooSlow extends Error {
  override readonly name = 'TooSlow'
}

/**
 * The pods that match, in the order in which they come (contract 1.8.1 and 1.8.2). Neither their phase nor whether they are on a node
 * is asked: an intent of a pod that is on none waits until it is.
 *
 * @throws TooSlow; TypeError for an expression that was not checked before
 */
export function expand(pods: Iterable<PodView>, { labelSelectors, k8sNamespace, commandRegex }: Criteria): PodView[] {
  const namespaces = k8sNamespace.length === 0 ? undefined : new Set(k8sNamespace)
  const regex = commandRegex === '' ? undefined : readCommandRegex(commandRegex)
  if (typeof regex === 'string') throw new TypeError(`commandRegex ${regex}`)
  const runs = regex === undefined ? undefined : budgeted(regex)
  const found: PodView[] = []
  for (const pod of pods) {
    if (namespaces !== undefined && !namespaces.has(pod.namespace)) continue
    if (!labelSelectors.every(({ key, value }) => selects(pod.labels, key, value))) continue
    if (runs !== undefined && !pod.containers.some(({ commandLine }) => runs(commandLine))) continue
    found.push(pod)
  }
  return found
}

function selects(labels: PodView['labels'], key: string, value: string): boolean {
  // hasOwn: a label may be called like something that every object has.
  return Object.hasOwn(labels, key) && (value === '' || labels[key] === value)
}

function budgeted(regex: CommandRegex): (commandLine: string) => boolean {
  const until = performance.now() + EXPAND_BUDGET_MS
  return (commandLine) => {
    if (performance.now() > until) throw new TooSlow(`not through after ${EXPAND_BUDGET_MS} ms`)
    return regex.matches(commandLine)
  }
}
