import { type KubernetesObject, type Pod as PodObject, parseManifests, type Resource } from '@bulkhead/resources'
import { madeResource } from '@bulkhead/resources/made'
import { idOf, type LiveObject, written } from './raw.js'

/** A live object that no file holds as it is. Its place is `live:Kind/namespace/name`. */
export type Found = { readonly resource: Resource } | { readonly unread: string }

/**
 * Reads it as a file would be. What our reader does not take, and an API server does, is told: it may decide something here that
 * nobody predicts.
 */
export function found(object: LiveObject, layer?: string): Found {
  const { resources, diagnostics } = parseManifests(JSON.stringify(written(object)), `live:${idOf(object)}`, {
    ...(layer !== undefined && { layer }),
  })
  const [resource] = resources
  if (resource !== undefined) return { resource }
  return { unread: diagnostics.find(({ severity }) => severity === 'error')?.message ?? 'it is empty' }
}

const nowhere: Resource = {
  id: '',
  kind: '',
  name: '',
  object: { apiVersion: '', kind: '', metadata: { name: '' } },
  position: () => ({ file: 'live', line: 1, column: 1 }),
}

/** An object as it is: a pod's whole spec is for the API server to have checked. */
export function asIs<T extends KubernetesObject>(object: LiveObject, by?: Resource): Resource<T> {
  const file = `live:${idOf(object)}`
  const from = by ?? { ...nowhere, position: () => ({ file, line: 1, column: 1 }) }
  return madeResource(written(object) as KubernetesObject as T, from)
}

export const podResource = (object: LiveObject): Resource<PodObject> => asIs<PodObject>(object)
