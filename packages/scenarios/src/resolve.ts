import type { ForgedCertificate, Pod, ServiceModel } from '@bulkhead/verdict'
import type { Attempt, ResolvedAttempt } from './types.js'

/** What of a snapshot is needed to find whom an attempt dials. */
export interface Directory {
  readonly pods: ReadonlyMap<string, Pod>
  readonly services: ReadonlyMap<string, ServiceModel>
}

/** What only the target can give. */
export interface ResolveHelp {
  /** Path of the private socket that a pod listens on, for `socket`. */
  readonly socketPath?: (pod: string, port: number) => string | undefined
  /** A certificate as a thief has it, for `expired` and `stolen`. */
  readonly loot?: (
    kind: 'expired' | 'stolen',
    identity: string,
  ) => Promise<{ readonly certificate: string; readonly key?: string }>
  /** Default `cluster.local`. */
  readonly trustDomain?: string
  readonly lateResetMs?: number
}

/**
 * The attempt with everything that the pod itself cannot know. A Service is dialled by name, as the pod would write it
 * (`web-api` in its own namespace, `web-api.shop` from another); a workload by the address of its first pod.
 * @throws Error for a destination that is not there
 */
export async function resolveAttempt(
  from: string,
  attempt: Attempt,
  directory: Directory,
  help: ResolveHelp = {},
): Promise<ResolvedAttempt> {
  const resolved = {
    ...attempt,
    host: hostOf(from, attempt, directory, help),
    ...(help.lateResetMs === undefined ? {} : { lateResetMs: help.lateResetMs }),
  }
  if (attempt.kind !== 'hbone' || attempt.as === undefined) return resolved
  const claim = identityOf(attempt.as, help.trustDomain)
  const material = await materialOf(attempt.certificate, claim, help)
  return { ...resolved, claim, ...(material === undefined ? {} : { material }) }
}

function hostOf(from: string, { kind, to, port }: Attempt, directory: Directory, help: ResolveHelp): string {
  if (kind === 'socket') return socketOf(to, port, directory, help)
  if ('service' in to) {
    const service = directory.services.get(to.service)
    if (service === undefined) throw new Error(`there is no Service ${JSON.stringify(to.service)} to attempt`)
    // The HBONE port is a pod's own; a Service has none.
    if (kind === 'hbone') return podOf(service.endpoints[0], to.service, directory).ip
    const own = from.slice(0, from.indexOf('/'))
    return service.namespace === own ? service.name : `${service.name}.${service.namespace}`
  }
  if ('workload' in to) return podOfWorkload(to.workload, directory).ip
  if ('host' in to) return to.host
  if ('ip' in to && to.ip !== undefined) return to.ip
  if ('labels' in to) {
    const labels = Object.entries(to.labels)
    const pod = [...directory.pods.values()].find(
      (candidate) =>
        candidate.namespace === to.namespace && labels.every(([key, value]) => candidate.labels[key] === value),
    )
    if (pod !== undefined) return pod.ip
  }
  throw new Error(`nothing to dial at ${JSON.stringify(to)}`)
}

function socketOf(to: Attempt['to'], port: number, directory: Directory, help: ResolveHelp): string {
  if (!('workload' in to)) throw new Error(`a private socket is a workload's; ${JSON.stringify(to)} is none`)
  const path = help.socketPath?.(podOfWorkload(to.workload, directory).key, port)
  if (path === undefined) throw new Error(`${to.workload} has no private socket for port ${port} on this target`)
  return path
}

function podOfWorkload(workload: string, directory: Directory): Pod {
  const pod = [...directory.pods.values()].find((candidate) => candidate.workload === workload)
  return podOf(pod?.key, workload, directory)
}

function podOf(key: string | undefined, what: string, directory: Directory): Pod {
  const pod = key === undefined ? undefined : directory.pods.get(key)
  if (pod === undefined) throw new Error(`${JSON.stringify(what)} has no pod to attempt`)
  return pod
}

function identityOf(account: string, trustDomain = 'cluster.local'): string {
  const [namespace, name] = account.split('/')
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${name}`
}

async function materialOf(
  certificate: ForgedCertificate | undefined,
  claim: string,
  help: ResolveHelp,
): Promise<ResolvedAttempt['material']> {
  if (certificate !== 'expired' && certificate !== 'stolen') return undefined
  if (help.loot === undefined) throw new Error(`this target has no certificate to be ${certificate}`)
  return help.loot(certificate, claim)
}
