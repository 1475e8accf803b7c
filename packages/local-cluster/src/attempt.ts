import type { MeshApi } from '@bulkhead/mesh'
import {
  type Attempt,
  type Evidence,
  hostMeant,
  identityMeant,
  podMeant,
  type ResolvedAttempt,
  serviceHost,
} from '@bulkhead/scenarios'
import type { FlowDestination, FlowRecord, Pod, Snapshot } from '@bulkhead/verdict'
import { lootOf, type SecretsHost, withoutLoot } from './attempt-secrets.js'
import { ClusterError } from './errors.js'
import type { AttemptOptions, Probe, Probes } from './probes.js'

/** What an attempt is made with. */
export interface AttemptHost extends SecretsHost {
  readonly mesh: MeshApi
  readonly probes: Pick<Probes, 'giveBack'>
  readonly connectTimeoutMs: number
}

/** Makes an attempt as a pod: with its secret, from inside it. */
export async function attemptAs(
  run: string,
  pod: Pod,
  attempt: Attempt,
  host: AttemptHost,
  probe: () => Probe,
  options: AttemptOptions,
): Promise<Evidence> {
  const resolved = await resolveAttempt(pod, attempt, host)
  return evidence(probe(), run, attempt, resolved, host, options)
}

/** The probe is given back only when no more records come: what it does next is another run's. */
export async function evidence(
  probe: Probe,
  run: string,
  attempt: Attempt,
  resolved: ResolvedAttempt,
  { mesh, probes }: Pick<AttemptHost, 'mesh' | 'probes'>,
  options: AttemptOptions,
): Promise<Evidence> {
  try {
    const observation = withoutLoot(await probe.make(run, resolved, options), resolved)
    return { observation, flows: await settled(mesh, run, attempt) }
  } finally {
    await probes.giveBack(probe)
  }
}

/** The records of a run, when no more of them are coming: nothing is left of it in its probe, and every connection has ended. */
async function settled(mesh: MeshApi, run: string, attempt: Attempt): Promise<readonly FlowRecord[]> {
  // Nothing crosses the network when a socket is dialled or a name is asked, so there may be no record to wait for.
  const expected = attempt.kind !== 'socket' && attempt.kind !== 'dns' && attempt.kind !== 'run'
  const quietMs = 40
  const deadline = Date.now() + (expected ? 2000 : 200)
  let last = Date.now()
  const stop = mesh.onFlow((record) => {
    if (record.run === run) last = Date.now()
  })
  try {
    for (;;) {
      const flows = mesh.flows({ run })
      const now = Date.now()
      if (now >= deadline || ((flows.length > 0 || !expected) && now - last >= quietMs)) return flows
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  } finally {
    stop()
  }
}

async function resolveAttempt(pod: Pod, attempt: Attempt, target: AttemptHost): Promise<ResolvedAttempt> {
  const { snapshot, mesh, connectTimeoutMs } = target
  const destination = podOf(attempt.to, snapshot, pod, mesh)
  const host =
    attempt.kind === 'socket' ? privateSocket(attempt, destination, mesh) : hostOf(attempt.to, snapshot, destination)
  const claim = attempt.as === undefined ? pod.identity : identityOf(attempt.as, pod)
  const { certificate } = attempt
  const material =
    certificate === 'expired' || certificate === 'stolen' ? await mesh.loot(certificate, claim) : undefined
  return {
    ...attempt,
    host,
    lateResetMs: Math.round(connectTimeoutMs * 0.9),
    ...(certificate !== undefined && { claim }),
    ...(material !== undefined && { material }),
    ...(await lootOf(attempt, target)),
  }
}

function identityOf(account: string, pod: Pod): string {
  const identity = identityMeant(account, pod.identity)
  if (identity !== undefined) return identity
  throw new ClusterError('bad-attempt', `"as" is ${JSON.stringify(account)}; it has to be namespace/service-account.`)
}

function hostOf(to: FlowDestination, snapshot: Snapshot, pod: Pod | undefined): string {
  const host = 'service' in to ? serviceHost(to.service) : hostMeant(to, snapshot, pod)
  if (host !== undefined) return host
  throw new ClusterError(
    'bad-attempt',
    'service' in to
      ? `the service ${JSON.stringify(to.service)} has to be given as namespace/name.`
      : `nothing that is up here is ${JSON.stringify(to)}; \`bulkhead status\` lists the workloads.`,
  )
}

/** Where another pod's app really listens: an attack that dials a file that is not there would prove nothing. */
function privateSocket({ port, to }: Attempt, pod: Pod | undefined, mesh: MeshApi): string {
  const path = pod === undefined ? undefined : mesh.privateSocket(pod.key, port)
  if (path !== undefined) return path
  throw new ClusterError(
    'bad-attempt',
    `no pod of ${JSON.stringify(to)} listens on port ${port}, so it has no private socket there.`,
  )
}

/** One that is up is taken before one that is not, and another pod before the caller itself. */
function podOf(to: FlowDestination, snapshot: Snapshot, caller: Pod, mesh: MeshApi): Pod | undefined {
  const rank = (pod: Pod) => (mesh.listening(pod.key).length > 0 ? 0 : 1) + (pod.key === caller.key ? 2 : 0)
  const pods = [...snapshot.pods.values()].sort((a, b) => rank(a) - rank(b))
  return podMeant(to, pods)
}
