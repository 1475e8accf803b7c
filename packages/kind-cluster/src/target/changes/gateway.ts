import type { Place } from '../../place.js'
import type { Tools } from '../../tools.js'
import { asked, itemsOf, kubectl, type LiveObject, textAt, valueAt } from '../live/index.js'
import { groupOf } from '../live/raw.js'
import { conditionOf, replicaState, type State } from './state.js'

/** Classes of which istiod makes pods. */
const classes = new Set(['istio', 'istio-waypoint'])

export const isGateway = (object: { readonly apiVersion: string; readonly kind: string }): boolean =>
  object.kind === 'Gateway' && groupOf(object) === 'gateway.networking.k8s.io'

/**
 * Whether what istiod makes of a Gateway stands as the Gateway is now. A waypoint that has gone is not there again when its Gateway is:
 * until then requests go around it, and are refused at the pods.
 */
export async function gatewayState(live: LiveObject, tools: Tools, place: Place): Promise<State> {
  if (!classes.has(textAt(live, 'spec', 'gatewayClassName') ?? '')) return { ready: true }
  const { name, namespace = 'default' } = live.metadata
  const programmed = conditionOf(live, 'Programmed')
  if ((programmed?.generation ?? 0) < Number(valueAt(live, 'metadata', 'generation') ?? 1))
    return { ready: false, why: 'istiod has not seen it yet' }
  const label = `gateway.networking.k8s.io/gateway-name=${name}`
  const said = await asked(
    tools,
    kubectl(place, ['get', 'deployments.apps', '-n', namespace, '-l', label, '-o', 'json']),
  )
  // One of a Gateway of the same name that is gone is on its way out.
  const isIts = ({ metadata }: LiveObject): boolean =>
    (metadata.ownerReferences ?? []).some((owner) => valueAt(owner, 'uid') === valueAt(live, 'metadata', 'uid'))
  const deployment = itemsOf(said).find(isIts)
  if (deployment === undefined) return { ready: false, why: 'istiod has made no pods of it' }
  const pods = replicaState(deployment)
  // One that is to have no pods is never programmed.
  if (!pods.ready || Number(valueAt(deployment, 'spec', 'replicas') ?? 1) === 0) return pods
  return programmed?.status === 'True'
    ? { ready: true }
    : { ready: false, why: programmed?.message ?? 'it is not programmed' }
}
