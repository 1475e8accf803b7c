import { placeText } from './diagnostics.js'
import { apiGroup } from './group.js'
import type { Diagnostic, Resource } from './types.js'

/** Two objects of one group, kind, namespace and name: on a cluster the second would overwrite the first. */
export function checkDuplicates(resources: readonly Resource[]): Diagnostic[] {
  const seen = new Map<string, Resource>()
  const found: Diagnostic[] = []
  for (const resource of resources) {
    const key = `${apiGroup(resource.object.apiVersion)} ${resource.id}`
    const first = seen.get(key)
    if (first === undefined) seen.set(key, resource)
    else {
      found.push({
        severity: 'error',
        code: 'object.duplicate',
        message: `${resource.id} is defined twice, and also at ${placeText(first.position([]))}; remove one, or give it another name`,
        at: resource.position([]),
      })
    }
  }
  return found
}
