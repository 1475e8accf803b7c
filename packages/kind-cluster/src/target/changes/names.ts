import { pluralOf } from '@bulkhead/resources/plural'
import { groupOf } from '../live/raw.js'

interface Named {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
}

/** As kubectl takes one object: `networkpolicies.networking.k8s.io/web`, and the flag for its namespace. */
export function argsOf(object: Named): readonly string[] {
  const { name, namespace } = object.metadata
  return [`${resourceOf(object)}/${name}`, ...(namespace === undefined ? [] : ['-n', namespace])]
}

export function resourceOf(object: Pick<Named, 'apiVersion' | 'kind'>): string {
  const group = groupOf(object)
  return `${pluralOf(object.kind)}${group === '' ? '' : `.${group}`}`
}
