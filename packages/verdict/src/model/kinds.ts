import type { KubernetesObject, Namespace, Resource } from '@bulkhead/resources'

/** The API group of an object; the core group is the empty string. */
export function groupOf(object: KubernetesObject): string {
  const slash = object.apiVersion.indexOf('/')
  return slash === -1 ? '' : object.apiVersion.slice(0, slash)
}

/** The resources of one kind of one group: kinds of other groups share names (Service, Gateway). */
export function ofKind<T extends KubernetesObject>(
  resources: readonly Resource[],
  group: string,
  kind: T['kind'],
): Resource<T>[] {
  return resources.filter(
    (resource): resource is Resource<T> => resource.kind === kind && groupOf(resource.object) === group,
  )
}

/**
 * Whether the object isolates pods at the CNI. Every engine names such a kind alike (CiliumNetworkPolicy,
 * GlobalNetworkPolicy ...), so one that nobody here has heard of is known for what it is.
 */
export function isNetworkPolicy({ kind }: Resource): boolean {
  return kind.endsWith('NetworkPolicy')
}

/** `default`, as the API server does for a namespaced object without one. */
export function namespaceOf(resource: Resource): string {
  return resource.namespace ?? 'default'
}

/** A field that our view of the kind leaves out. */
export function rawField(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value
  for (const key of path) {
    if (typeof current !== 'object' || current === null) return undefined
    current = (current as Readonly<Record<string | number, unknown>>)[key]
  }
  return current
}

/** `file:line` of a field. */
export function at(resource: Resource, path: readonly (string | number)[] = []): string {
  const position = resource.position(path)
  return `${position.file}:${position.line}`
}

/** With the one that the API server gives to each. */
export function readNamespaceLabels(resources: readonly Resource[]): Map<string, Readonly<Record<string, string>>> {
  return new Map(
    ofKind<Namespace>(resources, '', 'Namespace').map((resource) => [
      resource.name,
      { ...resource.object.metadata.labels, 'kubernetes.io/metadata.name': resource.name },
    ]),
  )
}
