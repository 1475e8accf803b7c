import { z } from 'zod'
import { notHeld, samePolicy } from '../auth/rbac.js'
import { managerErrors } from '../http/errors.js'
import { InvalidFields, missing, saying } from '../http/fields.js'
import { OBJECT_ID } from '../http/ids.js'
import type { Caller } from '../http/route.js'
import type { PolicyDoc } from '../store/documents.js'
import { idleLimits, type Limit, limitedBy } from '../store/permissions.js'
import type { Store } from '../store/types.js'
import { isNamespaceName } from '../strategies/label-syntax.js'
import { nameField } from '../users/fields.js'

const MOST_POLICIES = 100
const MAX_DESCRIPTION = 1_024

const namespace = (limit: Limit, whose: string) =>
  z
    .string()
    .refine((text) => text === '' || isNamespaceName(text), 'must be the name of a namespace, or empty for all')
    .default('')
    .describe(`The namespace of ${whose}, empty for all. Limits ${limitedBy(limit).join(', ')}`)

export const policy = z.object({
  permissionKey: z.string().min(1, 'must not be empty').max(128),
  self: z
    .boolean()
    .default(false)
    .describe(`On the caller himself alone. Limits ${limitedBy('self').join(', ')}`),
  k8sNamespace: namespace('k8sNamespace', 'pods'),
  policyNamespace: namespace('policyNamespace', 'strategies'),
})

export const policies = z.array(policy).max(MOST_POLICIES)
export const roleName = nameField(128)
export const description = z
  .string()
  .max(MAX_DESCRIPTION)
  .regex(/^[^\p{Cs}\0]*$/u, 'must be well-formed text')
export const roleId = z.string({ error: missing('ROLE_ID_INVALID') }).regex(OBJECT_ID, saying('ROLE_ID_INVALID'))

/** The policies of a body: the original has one name for them when a role is created, and another one when it is changed. */
export const eitherPolicies = { rolePolicies: policies.optional(), rolePolicy: policies.optional() } as const

interface EitherPolicies {
  readonly rolePolicies?: readonly PolicyDoc[] | undefined
  readonly rolePolicy?: readonly PolicyDoc[] | undefined
}

export const isOneName = ({ rolePolicies, rolePolicy }: EitherPolicies): boolean =>
  rolePolicies === undefined || rolePolicy === undefined
export const TWO_NAMES = { path: ['rolePolicy'], error: 'is another name of rolePolicies: send one of them' }

/** The policies, and the field that they came in; undefined: they are not there. */
export function policiesOf({ rolePolicies, rolePolicy }: EitherPolicies): Wanted | undefined {
  if (rolePolicies !== undefined) return { field: 'rolePolicies', policies: rolePolicies }
  return rolePolicy && { field: 'rolePolicy', policies: rolePolicy }
}

interface Wanted {
  readonly field: keyof EitherPolicies
  readonly policies: readonly PolicyDoc[]
}

/**
 * Whether there are such permissions, with such limits, and the caller may hand them on, or take them away. What the role had already and keeps he
 * need not hold.
 * @throws InvalidFields VALIDATION_FAILED; GRANT_EXCEEDS_OWN
 */
export async function checkPolicies(
  store: Store,
  caller: Caller,
  { field, policies: wanted }: Wanted,
  had: readonly PolicyDoc[] = [],
): Promise<void> {
  const keys = [...new Set(wanted.map(({ permissionKey }) => permissionKey))]
  const found = await store.permissions.find({ key: { $in: keys } }, { projection: { key: 1 } }).toArray()
  const known = new Set(found.map(({ key }) => key))
  const problems = wanted.flatMap((each, index) => {
    const at = `${field}[${index}]`
    const key = each.permissionKey
    if (!known.has(key)) return [{ field: `${at}.permissionKey`, message: 'there is no permission of this key' }]
    return idleLimits(each).map((limit) => ({
      field: `${at}.${limit}`,
      message: `does not limit ${key}: leave it out`,
    }))
  })
  if (problems.length > 0) throw new InvalidFields('VALIDATION_FAILED', problems.slice(0, 20))
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
