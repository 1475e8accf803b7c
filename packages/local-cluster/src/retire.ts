import { setTimeout as delay } from 'node:timers/promises'
import type { MeshApi } from '@bulkhead/mesh'

/** How often is looked whether what is waited for is over. */
const lookMs = 10
/**
 * Looks for what was sent to the pod while it was in its Services: 5 s. In looks and not by the clock, which goes on while
 * the supervisor is too busy to carry anything.
 */
const arrivalLooks = 500
/** Looks for what it has said last to come to its readers: 2 s. */
const drainLooks = 200
/** What has come to its private socket is taken in within this. */
const acceptMs = 100

/** A pod that is to end. */
export interface Retiring {
  readonly key: string
  readonly ready: boolean
  /** Takes it out of its Services. */
  leave(): void
  /** Ends its processes within their grace period. */
  stop(): Promise<void>
  /** Takes it out of the mesh, with all that is open. */
  remove(): Promise<void>
}

/**
 * Ends a pod as a rollout does, so that nothing is lost: out of the Services first; then what is on its way arrives; then
 * the pod ends within its grace period; and its last words are carried to the end.
 */
export async function retire(
  pod: Retiring,
  mesh: Pick<MeshApi, 'listening' | 'approaching' | 'calls'>,
  looks: { readonly arrival: number; readonly drain: number } = { arrival: arrivalLooks, drain: drainLooks },
): Promise<void> {
  const { key } = pod
  const called = pod.ready && mesh.listening(key).length > 0
  pod.leave()
  if (called) {
    await over(() => mesh.approaching(key) === 0, looks.arrival)
    await delay(acceptMs)
  }
  await pod.stop()
  await over(() => !mesh.calls().some(({ from, to }) => from === key || to === key), looks.drain)
  await pod.remove()
}

async function over(holds: () => boolean, most: number): Promise<void> {
  for (let left = most; left > 0 && !holds(); left--) await delay(lookMs)
}
