import type { FieldPath } from '@bulkhead/resources'
import { type ContainerView, containersNamed, type Fields, type PodView } from './pod.js'

/*
 * Many controls are about one field that a pod and each of its containers may set: who sets it wrong, and who is left
 * without it.
 */

/** Who sets a field so that the control minds. */
export interface Setters {
  readonly pod: boolean
  readonly containers: readonly ContainerView[]
  /** The bad values. */
  readonly values: readonly unknown[]
  readonly fields: readonly FieldPath[]
  /** `pod and containers "a", "b"` */
  readonly said: string
}

/** @param path inside a securityContext */
export function badSetters(
  pod: PodView,
  path: readonly string[],
  isBad: (value: unknown) => boolean,
  { onPod = true } = {},
): Setters | undefined {
  const ofPod = onPod ? inside(pod.security, path) : undefined
  const podIsBad = ofPod !== undefined && isBad(ofPod)
  const isBadIn = ({ security }: ContainerView): boolean => {
    const value = inside(security, path)
    return value !== undefined && isBad(value)
  }
  // Nearly always there is nobody.
  if (!podIsBad && !pod.containers.some(isBadIn)) return undefined
  const containers = pod.containers.filter(isBadIn)
  return {
    pod: podIsBad,
    containers,
    values: [...(podIsBad ? [ofPod] : []), ...containers.map(({ security }) => inside(security, path))],
    fields: [
      ...(podIsBad ? [['spec', 'securityContext', ...path]] : []),
      ...containers.map((container) => [...container.path, 'securityContext', ...path]),
    ],
    said: [...(podIsBad ? ['pod'] : []), ...(containers.length > 0 ? [containersNamed(containers)] : [])].join(' and '),
  }
}

/** Those that do not set the field themselves. */
export function without(pod: PodView, path: readonly string[]): ContainerView[] {
  return pod.containers.filter(({ security }) => inside(security, path) === undefined)
}

/** A field that is missing; null is as missing. */
export function inside(security: Fields | undefined, path: readonly string[]): unknown {
  let current: unknown = security
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined
    current = (current as Fields)[key]
  }
  return current ?? undefined
}
