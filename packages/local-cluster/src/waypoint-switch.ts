import type { AuthorizationPolicy, Gateway, Resource } from '@bulkhead/resources'
import { labelsMatch } from '@bulkhead/resources/selectors'
import type { Pod, Snapshot } from '@bulkhead/verdict'
import type { StandingChange } from './in-force.js'

/*
 * A wall of waypoints is switched in steps, so that no request is lost that is allowed before and after. The way by the
 * waypoint and the way past it are closed to each other by policy: whoever goes by it may not be let in yet, and whoever
 * still goes past it not any more.
 */

/** Gateways of waypoints that are asked for, have pods to come, and have not been ready before. */
export function comingWaypoints({ waypoints, pods }: Snapshot, readyOnce: ReadonlySet<string>): readonly string[] {
  const wanted = new Set([...pods.values()].map(({ waypoint }) => waypoint))
  return [...waypoints.keys()].filter((key) => wanted.has(key) && !readyOnce.has(key))
}

/** Gateways of waypoints that traffic goes by, and that are asked for no more. */
export const goingWaypoints = ({ waypoints }: Snapshot, readyOnce: ReadonlySet<string>): readonly string[] =>
  [...readyOnce].filter((key) => !waypoints.has(key))

/**
 * Which change has taken a Gateway away and brought another one of its name, by `namespace/name`. Where that is not the same
 * before and after, it is another Gateway.
 */
export function bornOf(changes: ReadonlyMap<string, StandingChange>): ReadonlyMap<string, string> {
  const born = new Map<string, string>()
  for (const [name, { objects, without }] of changes)
    for (const { id, kind, namespace = 'default', name: gateway } of objects)
      if (kind === 'Gateway' && (without.has(id) || without.has(id.replace('/', '.gateway.networking.k8s.io/'))))
        born.set(`${namespace}/${gateway}`, name)
  return born
}

/** What is in force, and those waypoints: they have pods, and nobody goes by them yet. */
export function withWaypoints(
  now: readonly Resource[],
  wanted: readonly Resource[],
  keys: readonly string[],
): readonly Resource[] {
  const brought = new Map(gatewayObjects(wanted, keys).map((resource) => [resource.id, resource]))
  return [...now.filter(({ id }) => !brought.has(id)), ...brought.values()]
}

/**
 * What is wanted, and for as long as anybody still comes by those waypoints what they answer with and what lets them in.
 * Policies that let somebody in close a pod to all others, so they stay only where the pods have such policies anyhow.
 */
export function withLastWords(
  now: readonly Resource[],
  wanted: readonly Resource[],
  keys: readonly string[],
  pods: Iterable<Pod>,
): readonly Resource[] {
  const known = new Set(wanted.map(({ id }) => id))
  const all = [...pods]
  const allows = wanted.filter(isAllow)
  const isOpenTo = (policy: Resource): boolean =>
    all.filter((pod) => selects(policy, pod)).every((pod) => allows.some((one) => selects(one, pod)))
  const stays = [
    ...gatewayObjects(now, keys),
    ...now.filter((one) => isPolicy(one) && (specOf(one).targetRefs !== undefined || (isAllow(one) && isOpenTo(one)))),
  ]
  return [...wanted, ...stays.filter(({ id }) => !known.has(id))]
}

/** The Gateways themselves, and what they are made after. */
function gatewayObjects(resources: readonly Resource[], keys: readonly string[]): readonly Resource[] {
  const gateways = resources.filter(
    ({ kind, namespace = 'default', name }) => kind === 'Gateway' && keys.includes(`${namespace}/${name}`),
  )
  const ids = new Set(
    gateways.flatMap(({ namespace = 'default', object }) => {
      const { gatewayClassName, infrastructure } = (object as Gateway).spec
      const { parametersRef } = infrastructure ?? {}
      return [
        `GatewayClass/${gatewayClassName}`,
        ...(parametersRef === undefined ? [] : [`${parametersRef.kind}/${namespace}/${parametersRef.name}`]),
      ]
    }),
  )
  return [...gateways, ...resources.filter(({ id }) => ids.has(id))]
}

const rootNamespace = 'istio-system'

const isPolicy = ({ kind, object }: Resource): boolean =>
  kind === 'AuthorizationPolicy' && object.apiVersion.startsWith('security.istio.io/')

const specOf = ({ object }: Resource): NonNullable<AuthorizationPolicy['spec']> =>
  (object as AuthorizationPolicy).spec ?? {}

/** One that ztunnel reads. */
const isAllow = (resource: Resource): boolean => {
  if (!isPolicy(resource)) return false
  const { action = 'ALLOW', targetRefs } = specOf(resource)
  return action === 'ALLOW' && targetRefs === undefined
}

const selects = (policy: Resource, { namespace, labels }: Pod): boolean =>
  [namespace, rootNamespace].includes(policy.namespace ?? 'default') &&
  labelsMatch(specOf(policy).selector?.matchLabels ?? {}, labels)
