import type { PolicyDoc, RoleDoc } from '../store/documents.js'
import { idleLimits } from '../store/permissions.js'

/*
 * Who may do what, as pure functions. A user may what any policy of any of his roles lets him: policies only ever add up,
 * and the order of roles means nothing.
 */

/**
 * All policies of these roles, by permission. One with a limit that its permission does not look at, from before they were refused (the original kept
 * them), permits nothing: whoever wrote it did not mean to permit all.
 */
export function policiesByKey(roles: readonly Pick<RoleDoc, 'policies'>[]): ReadonlyMap<string, readonly PolicyDoc[]> {
  const byKey = new Map<string, PolicyDoc[]>()
  for (const { policies } of roles)
    for (const policy of policies) {
      if (idleLimits(policy).length > 0) continue
      const same = byKey.get(policy.permissionKey)
      if (same === undefined) byKey.set(policy.permissionKey, [policy])
      else same.push(policy)
    }
  return byKey
}

/** Whether one of the policies that grant a request lets the caller act on this user: `self` is good for himself alone. */
export const mayActOn = (granted: readonly PolicyDoc[], callerId: string, userId: string): boolean =>
  granted.some(({ self }) => !self || callerId === userId)

/** Whether who holds these policies holds this one: the same, or a wider one. */
export const holds = (own: ReadonlyMap<string, readonly PolicyDoc[]>, wanted: PolicyDoc): boolean =>
  (own.get(wanted.permissionKey) ?? []).some(
    (policy) =>
      (!policy.self || wanted.self) &&
      (policy.k8sNamespace === '' || policy.k8sNamespace === wanted.k8sNamespace) &&
      (policy.policyNamespace === '' || policy.policyNamespace === wanted.policyNamespace),
  )

/** The policies that are wanted and not held. */
export const notHeld = (
  own: ReadonlyMap<string, readonly PolicyDoc[]>,
  wanted: readonly PolicyDoc[],
): readonly PolicyDoc[] => wanted.filter((policy) => !holds(own, policy))

export const samePolicy = (a: PolicyDoc, b: PolicyDoc): boolean =>
  a.permissionKey === b.permissionKey &&
  a.self === b.self &&
  a.k8sNamespace === b.k8sNamespace &&
  a.policyNamespace === b.policyNamespace
