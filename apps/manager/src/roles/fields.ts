import { z } from 'zod'
import { notHeld, samePolicy } from '../auth/rbac.js'
import { managerErrors } from '../http/errors.js'
import { InvalidFields, missing, saying } from '../http/fields.js'
import type { Caller } from '../http/route.js'
import type { PolicyDoc } from '../store/documents.js'
import type { Store } from '../store/types.js'
import { nameField, OBJECT_ID } from '../users/fields.js'

const MOST_POLICIES = 100
const MAX_DESCRIPTION = 1_024

/** A label of RFC 1123, as Kubernetes' namespaces are; empty for all. */
const namespace = z
  .string()
  .max(63)
  .regex(/^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$/, 'must be the name of a namespace, or empty for all')
  .default('')

export const policy = z.object({
  permissionKey: z.string().min(1, 'must not be empty').max(128),
  self: z.boolean().default(false),
  k8sNamespace: namespace,
  policyNamespace: namespace,
})

export const policies = z.array(policy).max(MOST_POLICIES)
export const roleName = nameField(128)
export const description = z
  .string()
  .max(MAX_DESCRIPTION)
  .regex(/^[^\p{Cs}\0]*$/u, 'must be well-formed text')
export const roleId = z.string({ error: missing('ROLE_ID_INVALID') }).regex(OBJECT_ID, saying('ROLE_ID_INVALID'))

/** The field of the body that the policies came in. */
export type PoliciesField = 'rolePolicy' | 'rolePolicies'

/**
 * Whether there are such permissions, and the caller may hand them on, or take them away. What the role had already and keeps he need not hold.
 * @throws InvalidFields VALIDATION_FAILED; GRANT_EXCEEDS_OWN
 */
export async function checkPolicies(
  store: Store,
  caller: Caller,
  wanted: readonly PolicyDoc[],
  field: PoliciesField,
  had: readonly PolicyDoc[] = [],
): Promise<void> {
  const keys = [...new Set(wanted.map(({ permissionKey }) => permissionKey))]
  const found = await store.permissions.find({ key: { $in: keys } }, { projection: { key: 1 } }).toArray()
  const known = new Set(found.map(({ key }) => key))
  const unknown = wanted.flatMap(({ permissionKey }, index) =>
    known.has(permissionKey)
      ? []
      : [{ field: `${field}[${index}].permissionKey`, message: 'there is no permission of this key' }],
  )
  if (unknown.length > 0) throw new InvalidFields('VALIDATION_FAILED', unknown.slice(0, 20))
  requireHeld(caller, without(wanted, had), 'You can grant only what you hold yourself')
  requireHeld(caller, without(had, wanted), 'You can take away only what you hold yourself')
}

const without = (some: readonly PolicyDoc[], others: readonly PolicyDoc[]): readonly PolicyDoc[] =>
  some.filter((each) => !others.some((other) => samePolicy(each, other)))

function requireHeld(caller: Caller, policies: readonly PolicyDoc[], words: string): void {
  const [beyond] = notHeld(caller.policies, policies)
  if (beyond !== undefined)
    throw managerErrors.error('GRANT_EXCEEDS_OWN', `${words}: you do not have ${beyond.permissionKey} to that extent.`)
}
