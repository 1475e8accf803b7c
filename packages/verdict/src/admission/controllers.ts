/*
 * What a cluster's controllers and kubelets make, and nobody writes: of these kinds the objects at hand are not all.
 */

const made: ReadonlySet<string> = new Set([
  '/pods',
  '/endpoints',
  '/events',
  '/nodes',
  '/persistentvolumes',
  '/persistentvolumeclaims',
  'apps/replicasets',
  'apps/controllerrevisions',
  'batch/jobs',
  'coordination.k8s.io/leases',
  'discovery.k8s.io/endpointslices',
  'events.k8s.io/events',
  'metrics.k8s.io/pods',
  'metrics.k8s.io/nodes',
])

/**
 * What cannot be said of a look-up that the written objects alone would answer, in words that `is not modelled` follows;
 * undefined where they are all there are. One that is written is there: only ask where none was found.
 */
export function madeByControllers(apiVersion: string, resource: string): string | undefined {
  const slash = apiVersion.indexOf('/')
  const group = slash === -1 ? '' : apiVersion.slice(0, slash)
  return made.has(`${group}/${resource}`) ? `a look-up of ${resource}, which controllers make,` : undefined
}
