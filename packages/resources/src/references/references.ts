import type { Diagnostic, Resource } from '../types.js'
import { checkAdmission } from './admission.js'
import { Cluster } from './cluster.js'
import { checkGateways } from './gateways.js'
import { checkNetworkPolicies } from './network-policies.js'
import { checkPeerAuthentications } from './peer-authentications.js'
import { checkPods, checkServicePorts } from './pods.js'
import { checkNamespaces, checkPolicies } from './policies.js'
import { checkBindings } from './rbac.js'
import { checkRoutes } from './routes.js'
import { checkSelectors } from './selectors.js'
import { checkWaypoints } from './waypoints.js'

/**
 * What objects say of each other: selectors that select nothing, names that nothing has. All of it is warnings, since
 * what is missing may be made by something else; in a set of manifests that is meant to be whole it is a mistake.
 */
export function checkReferences(resources: readonly Resource[]): Diagnostic[] {
  const cluster = new Cluster(resources)
  return [
    ...checkNamespaces(cluster),
    ...checkSelectors(cluster),
    ...checkNetworkPolicies(cluster),
    ...checkPods(cluster),
    ...checkServicePorts(cluster),
    ...checkPolicies(cluster),
    ...checkPeerAuthentications(cluster),
    ...checkGateways(cluster),
    ...checkWaypoints(cluster),
    ...checkRoutes(cluster),
    ...checkBindings(cluster),
    ...checkAdmission(cluster),
  ]
}
