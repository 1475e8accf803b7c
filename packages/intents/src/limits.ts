import type { Intent, IntentSet } from './types.js'

/** Intents of one node: a node has at most a few hundred pods, and few strategies mean the same one. */
export const MAX_INTENTS = 10_000

/** Of a set on the wire, in bytes: what a scheduler reads, and 10,000 intents of ordinary pods. With the other bounds it keeps a scheduler under 256 MiB. */
export const MAX_SET_BYTES = 4 * 1024 * 1024

/** Different expressions in one set: each is compiled, and kept, by the node's scheduler. */
export const MAX_EXPRESSIONS = 1_000

/** Labels of one pod: Kubernetes has no bound of its own, and who makes a pod must not fill its node's set. */
export const MAX_LABELS = 128

/** The least and the greatest priority; the lower one comes first. */
export const PRIORITY = { min: 0, max: 20 } as const

/** The least and the greatest time slice, in nanoseconds: 1 ms and 1 s. */
export const EXECUTION_TIME = { min: 1_000_000, max: 1_000_000_000 } as const

/** The empty set, which a scheduler has until it was told another. */
export const NO_INTENTS: IntentSet & { readonly intents: readonly Intent[] } = { version: 0, intents: [] }
