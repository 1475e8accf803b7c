import type { AuthorizationPolicy, AuthorizationRule, KubernetesObject, Resource } from '@bulkhead/resources'
import type { Snapshot } from '@bulkhead/verdict'
import type { Edit } from './types.js'

/** One change that may take a denial away, and all objects as they would be then. Whether it does is for the engine to say. */
export interface Candidate {
  readonly edit: Edit
  readonly resources: readonly Resource[]
}

interface PolicyEdit {
  readonly rules: readonly AuthorizationRule[]
  readonly place: readonly (string | number)[]
  readonly says: string
  readonly value: unknown
}

/** A change of the rules of one AuthorizationPolicy, as `edit` makes it; none when it makes none. */
export function editPolicy(
  snapshot: Snapshot,
  id: string,
  edit: (policy: AuthorizationPolicy) => PolicyEdit | undefined,
): readonly Candidate[] {
  const policy = snapshot.resources.find(
    (resource): resource is Resource<AuthorizationPolicy> =>
      resource.id === id && resource.kind === 'AuthorizationPolicy',
  )
  const made = policy && edit(policy.object)
  if (policy === undefined || made === undefined) return []
  const object = { ...policy.object, spec: { ...policy.object.spec, rules: made.rules } }
  const described = {
    object: id,
    at: placeOf(policy, made.place),
    says: made.says,
    field: fieldName(made.place),
    // JSON is YAML on one line.
    value: JSON.stringify(made.value),
  }
  return [{ edit: described, resources: replaced(snapshot, policy, object) }]
}

/** `spec.rules[0].from` */
export function fieldName(path: readonly (string | number)[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .slice(1)
}

export function replaced(snapshot: Snapshot, resource: Resource, object: KubernetesObject): readonly Resource[] {
  return snapshot.resources.map((one) => (one === resource ? { ...one, object } : one))
}

export function placeOf(resource: Resource, path: readonly (string | number)[]): string {
  const { file, line } = resource.position(path)
  return `${file}:${line}`
}
