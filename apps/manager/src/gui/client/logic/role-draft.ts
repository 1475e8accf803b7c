import type { FieldProblem } from '../api/failure.js'
import type { Policy, Role } from '../api/types.js'

/** A role as it stands in the form: the policies of each permission that it has. */
export interface RoleDraft {
  readonly name: string
  readonly description: string
  readonly policies: readonly Policy[]
}

export const emptyRole: RoleDraft = { name: '', description: '', policies: [] }

export const roleDraftOf = ({ name, description, rolePolicy }: Role): RoleDraft => ({
  name,
  description,
  policies: rolePolicy,
})

export const wholePolicy = (permissionKey: string): Policy => ({
  permissionKey,
  self: false,
  k8sNamespace: '',
  policyNamespace: '',
})

export const has = ({ policies }: RoleDraft, key: string): boolean =>
  policies.some(({ permissionKey }) => permissionKey === key)

/** With the permission, for everybody and every namespace, or without any policy of it. */
export const toggled = (draft: RoleDraft, key: string): RoleDraft => ({
  ...draft,
  policies: has(draft, key)
    ? draft.policies.filter(({ permissionKey }) => permissionKey !== key)
    : [...draft.policies, wholePolicy(key)],
})

export const withPolicy = (draft: RoleDraft, index: number, policy: Policy): RoleDraft => ({
  ...draft,
  policies: draft.policies.map((each, at) => (at === index ? policy : each)),
})

export const withoutPolicy = (draft: RoleDraft, index: number): RoleDraft => ({
  ...draft,
  policies: draft.policies.filter((_, at) => at !== index),
})

/** What the service says of fields: `name`, `description`, `policies`, `policies.3.k8sNamespace`. */
export function placeRoleProblems(fields: readonly FieldProblem[]): Readonly<Record<string, string>> {
  const placed: Record<string, string> = {}
  for (const { field, message } of fields) {
    const [, index, part] = /^rolePolic(?:y|ies)\[(\d+)\]\.(\w+)$/.exec(field) ?? []
    const name = index === undefined ? field.replace(/^rolePolic(y|ies)$/, 'policies') : `policies.${index}.${part}`
    placed[name] = placed[name] === undefined ? message : `${placed[name]}; ${message}`
  }
  return placed
}

/** `schedule_strategy.create` is of `schedule_strategy`. */
export const groupOf = (key: string): string => key.slice(0, key.lastIndexOf('.'))

const groups: Readonly<Record<string, string>> = {
  user: 'Users',
  'user.password': 'Users',
  'user.permission': 'Users',
  role: 'Roles',
  permission: 'Roles',
  schedule_strategy: 'Strategies',
  schedule_intent: 'Intents',
  pod_pid_mapping: 'Nodes',
  audit: 'Audit log',
}

export const groupWords = (key: string): string => groups[groupOf(key)] ?? 'Others'
