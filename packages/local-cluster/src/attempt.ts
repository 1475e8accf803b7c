import type { MeshApi } from '@bulkhead/mesh'
import type { Attempt, Evidence, ResolvedAttempt } from '@bulkhead/scenarios'
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
  const [namespace, name] = account.split('/')
  const domain = pod.identity.replace(/^spiffe:\/\//, '').split('/')[0]
  if (!namespace || !name) {
    throw new ClusterError('bad-attempt', `"as" is ${JSON.stringify(account)}; it has to be namespace/service-account.`)
  }
  return `spiffe://${domain}/ns/${namespace}/sa/${name}`
}

function hostOf(to: FlowDestination, snapshot: Snapshot, pod: Pod | undefined): string {
  if ('service' in to) {
    const service = snapshot.services.get(to.service)
    // A name that nothing has is a fair thing to try.
    return service === undefined ? serviceName(to.service) : `${service.name}.${service.namespace}.svc.cluster.local`
  }
  if ('host' in to) return to.host
  if (pod !== undefined) return pod.ip
  if ('ip' in to && to.ip !== undefined) return to.ip
  const { dns, istiod, controlPlane } = snapshot.platform
  if ('node' in to) {
    const node = [...snapshot.nodes, controlPlane].find(({ name }) => name === to.node)
    if (node !== undefined) return node.ip
  }
  // What every cluster has, and the mesh plays.
  const own =
    'workload' in to ? [dns, istiod].find(({ key, workload }) => [key, workload].includes(to.workload)) : undefined
  if (own !== undefined) return own.ip
  throw new ClusterError(
    'bad-attempt',
    `nothing that is up here is ${JSON.stringify(to)}; \`bulkhead status\` lists the workloads.`,
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

function serviceName(key: string): string {
  const [namespace, name] = key.split('/')
  if (!namespace || !name)
    throw new ClusterError('bad-attempt', `the service ${JSON.stringify(key)} has to be given as namespace/name.`)
  return `${name}.${namespace}.svc.cluster.local`
}

/** One that is up is taken before one that is not, and another pod before the caller itself. */
function podOf(to: FlowDestination, snapshot: Snapshot, caller: Pod, mesh: MeshApi): Pod | undefined {
  const rank = (pod: Pod) => (mesh.listening(pod.key).length > 0 ? 0 : 1) + (pod.key === caller.key ? 2 : 0)
  const pods = [...snapshot.pods.values()].sort((a, b) => rank(a) - rank(b))
  if ('workload' in to) return pods.find((pod) => pod.workload === to.workload || pod.key === to.workload)
  if ('labels' in to) {
    return pods.find(
      (pod) =>
        pod.namespace === to.namespace && Object.entries(to.labels).every(([key, value]) => pod.labels[key] === value),
    )
  }
  return undefined
}
