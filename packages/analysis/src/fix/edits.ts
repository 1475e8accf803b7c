import type { AuthorizationPolicy, AuthorizationRule, KubernetesObject, Resource } from '@bulkhead/resources'
import type { Snapshot } from '@bulkhead/verdict'
import type { Edit } from './types.js'

/** One change that may take a denial away, and all objects as they would be then. Whether it does is for the engine to say. */
export interface Candidate {
  readonly edit: Edit
  readonly resources: readonly Resource[]
  /** What was meant, and only written wrong: taken before what opens less. */
  readonly meant?: true
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

/** A policy more, to stand beside the one that isolates. None where there is one of that name already. */
export function addedPolicy(
  snapshot: Snapshot,
  object: KubernetesObject,
  beside: { readonly policy: string; readonly layer?: string; readonly at: string },
  says: string,
): readonly Candidate[] {
  const { name, namespace = 'default' } = object.metadata
  const colon = beside.at.lastIndexOf(':')
  const at = { file: beside.at.slice(0, colon), line: Number(beside.at.slice(colon + 1)), column: 1 }
  const added: Resource = {
    id: `${object.kind}/${namespace}/${name}`,
    kind: object.kind,
    namespace,
    name,
    object,
    ...(beside.layer !== undefined && { layer: beside.layer }),
    position: () => at,
  }
  if (snapshot.resources.some(({ id }) => id === added.id)) return []
  const edit = {
    object: added.id,
    at: beside.at,
    beside: beside.policy,
    says,
    field: '',
    value: JSON.stringify(object),
  }
  return [{ edit, resources: [...snapshot.resources, added] }]
}

/** One value more at the end of a list of an object; none where there is no such list. */
export function appended(
  snapshot: Snapshot,
  resource: Resource,
  place: readonly (string | number)[],
  value: unknown,
  says: string,
): readonly Candidate[] {
  const object = withAppended(resource.object, place, value)
  if (object === undefined) return []
  const edit = {
    object: resource.id,
    at: placeOf(resource, place),
    says,
    field: fieldName(place),
    value: JSON.stringify(value),
  }
  return [{ edit, resources: replaced(snapshot, resource, object as KubernetesObject) }]
}

function withAppended(whole: unknown, place: readonly (string | number)[], value: unknown): unknown {
  const [key, ...rest] = place
  if (key === undefined) return Array.isArray(whole) ? [...whole, value] : undefined
  if (typeof whole !== 'object' || whole === null) return undefined
  const inside = withAppended((whole as Readonly<Record<string | number, unknown>>)[key], rest, value)
  if (inside === undefined) return undefined
  return Array.isArray(whole) ? whole.with(Number(key), inside) : { ...whole, [key]: inside }
}

/** As YAML's one-line form, to be pasted: `{from: [{source: {principals: ["x"]}}]}`. */
export function yamlText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(yamlText).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).map(([key, entry]) => `${key}: ${yamlText(entry)}`)
  return `{${entries.join(', ')}}`
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
