import {
  type Attempt,
  hostMeant,
  identityMeant,
  podMeant,
  type ResolvedAttempt,
  serviceHost,
} from '@bulkhead/scenarios'
import type { FlowDestination, Pod, ServiceModel, Snapshot } from '@bulkhead/verdict'
import type { Outside } from '../../outside/index.js'
import { TargetError } from '../errors.js'
import { isOnOutside, nowhereOnACluster } from './nowhere.js'

/** What a dropped packet takes in the mesh, and an attempt has to outlast: ztunnel gives a connection 10 s. */
export const timeouts = { attemptMs: 15_000, heldMs: 60_000, lateResetMs: 9_000 } as const

/**
 * The attempt with all that the pod cannot know, but for what is secret.
 * @param outside the host outside of the cluster, where it is up
 * @throws TargetError `bad-attempt` when nothing is what it names; `not-makeable` when a cluster has no such thing
 */
export function resolveAttempt(
  from: string,
  attempt: Attempt,
  snapshot: Snapshot,
  caller: Pod | undefined,
  outside?: Outside,
): ResolvedAttempt {
  const why = nowhereOnACluster(from, attempt, snapshot, outside)
  if (why !== undefined) throw new TargetError('not-makeable', why)
  const pod = podOf(attempt.to, snapshot, caller)
  const { certificate } = attempt
  return {
    ...attempt,
    host: hostOf(attempt.to, snapshot, pod),
    ...timesOf(attempt),
    ...(certificate !== undefined && { claim: claimOf(attempt, caller) }),
    // Its certificates are made at its start, and so nobody has their root before.
    ...(attempt.tls !== undefined && outside !== undefined && isOnOutside(attempt) && { authorities: outside.root }),
  }
}

/** A held one has to outlast a change that is made meanwhile. */
function timesOf({ hold, timeoutMs = 0 }: Attempt): Pick<ResolvedAttempt, 'timeoutMs' | 'lateResetMs'> {
  const least = hold === true ? timeouts.heldMs : timeouts.attemptMs
  return { timeoutMs: Math.max(timeoutMs, least), lateResetMs: timeouts.lateResetMs }
}

/** From outside: the port of this machine that leads to the Service. */
export function resolveFromOutside(attempt: Attempt, snapshot: Snapshot): ResolvedAttempt {
  const service = serviceOf(attempt.to, snapshot)
  const wanted = JSON.stringify(attempt.to)
  if (service === undefined)
    throw new TargetError(
      'bad-attempt',
      `nothing on the cluster is ${wanted} that could be reached from outside; a layer that is off may hold it.`,
    )
  const port = service.ports.find((one) => one.port === attempt.port && one.protocol === 'TCP')
  if (!service.external || port?.nodePort === undefined)
    throw new TargetError(
      'bad-attempt',
      `the Service ${service.key} has no NodePort for ${attempt.port}, so that no way from outside leads to it.`,
    )
  return { ...attempt, host: '127.0.0.1', port: port.nodePort, ...timesOf(attempt) }
}

function claimOf({ as }: Attempt, caller: Pod | undefined): string {
  const own = caller?.identity ?? ''
  const claim = as === undefined ? own : identityMeant(as, own)
  if (claim !== undefined) return claim
  throw new TargetError('bad-attempt', `"as" is ${JSON.stringify(as)}; it has to be namespace/service-account.`)
}

/** What is dialled: a Service by its name, as a pod's program would; a pod by its address. */
export function hostOf(to: FlowDestination, snapshot: Snapshot, pod: Pod | undefined): string {
  const host = 'service' in to ? serviceHost(to.service) : hostMeant(to, snapshot, pod)
  if (host !== undefined) return host
  throw new TargetError(
    'bad-attempt',
    'service' in to
      ? `the service ${JSON.stringify(to.service)} has to be given as namespace/name.`
      : `nothing on the cluster is ${JSON.stringify(to)}.`,
  )
}

/** Another pod before the caller itself. */
export function podOf(to: FlowDestination, snapshot: Snapshot, caller: Pod | undefined): Pod | undefined {
  const pods = [...snapshot.pods.values()].toSorted((one, other) => same(one, caller) - same(other, caller))
  return podMeant(to, pods)
}

const same = (pod: Pod, caller: Pod | undefined): number => (pod.key === caller?.key ? 1 : 0)

/** The Service itself, or the one before a gateway's pods. */
function serviceOf(to: FlowDestination, snapshot: Snapshot): ServiceModel | undefined {
  if ('service' in to) return snapshot.services.get(to.service)
  const gateway = podOf(to, snapshot, undefined)?.gateway
  const workload = gateway === undefined ? undefined : snapshot.gateways.get(gateway)?.workload
  return workload === undefined ? undefined : snapshot.services.get(workload)
}
