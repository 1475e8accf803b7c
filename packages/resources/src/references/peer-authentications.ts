import type { PeerAuthentication } from '../kinds.js'
import type { Diagnostic, Resource } from '../types.js'
import { type Cluster, ROOT_NAMESPACE, warning } from './cluster.js'

/**
 * Of several PeerAuthentications at one level (a mesh, a namespace, a pod) istiod follows the one that was created
 * first. Manifests do not say which that is, so a second one is a coin tossed over who may call in plain text.
 */
export function checkPeerAuthentications(cluster: Cluster): Diagnostic[] {
  const first = new Map<string, Resource>()
  return cluster.resources.flatMap((resource) => {
    if (resource.kind !== 'PeerAuthentication' || !resource.object.apiVersion.startsWith('security.istio.io/'))
      return []
    for (const level of levelsOf(cluster, resource as Resource<PeerAuthentication>)) {
      const other = first.get(level)
      if (other === undefined) first.set(level, resource)
      else
        return [
          warning(
            resource,
            'policy.one-of-several',
            [],
            `${other.id} is for ${level} too; only the one that was created first counts, and files do not say which; keep one`,
          ),
        ]
    }
    return []
  })
}

function levelsOf(cluster: Cluster, { object, namespace = '' }: Resource<PeerAuthentication>): string[] {
  const labels = object.spec?.selector?.matchLabels ?? {}
  if (Object.keys(labels).length === 0)
    return [namespace === ROOT_NAMESPACE ? 'the whole mesh' : `the namespace ${namespace}`]
  // In the root namespace it is ignored, which is told elsewhere.
  if (namespace === ROOT_NAMESPACE) return []
  return cluster.podsSelected({ matchLabels: labels }, namespace).map(({ resource }) => `the pods of ${resource.id}`)
}
