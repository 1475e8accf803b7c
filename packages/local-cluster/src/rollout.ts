/** A pod that is to run. */
export interface WantedPod {
  readonly key: string
  /** Another one under the same key means that the pod is to be made anew. */
  readonly fingerprint: string
}

/** A pod that runs, or is on its way. */
export interface RunningPod extends WantedPod {
  readonly ready: boolean
  /** It was told to end. */
  readonly ending: boolean
}

export interface RolloutStep {
  readonly start: readonly string[]
  readonly end: readonly string[]
}

/** A Deployment's `maxSurge` and `maxUnavailable`, at which Kubernetes arrives for few replicas (25 %, rounded up and down). */
const maxSurge = 1
const maxUnavailable = 0

/**
 * What the controller of that kind of workload does next; asked again whenever a pod has become ready, has failed or is
 * gone. `wanted` is in the order of the replicas.
 */
export function nextStep(kind: string, wanted: readonly WantedPod[], running: readonly RunningPod[]): RolloutStep {
  const pods = sorted(wanted, running)
  switch (kind) {
    case 'StatefulSet':
      return statefulSet(pods)
    case 'DaemonSet':
      return daemonSet(pods)
    case 'Pod':
      return { start: pods.missing, end: keysOf([...pods.outdated, ...pods.surplus]) }
    default:
      return deployment(pods)
  }
}

interface Sorted {
  readonly count: number
  /** Wanted, and nothing has its key. */
  readonly missing: readonly string[]
  readonly current: readonly RunningPod[]
  /** Wanted, but made after another template. */
  readonly outdated: readonly RunningPod[]
  readonly surplus: readonly RunningPod[]
  readonly ending: number
}

function sorted(wanted: readonly WantedPod[], running: readonly RunningPod[]): Sorted {
  const fingerprints = new Map(wanted.map(({ key, fingerprint }) => [key, fingerprint]))
  const taken = new Set(keysOf(running))
  const living = running.filter(({ ending }) => !ending)
  const known = living.filter(({ key }) => fingerprints.has(key))
  return {
    count: wanted.length,
    missing: keysOf(wanted).filter((key) => !taken.has(key)),
    current: known.filter(({ key, fingerprint }) => fingerprints.get(key) === fingerprint),
    outdated: known.filter(({ key, fingerprint }) => fingerprints.get(key) !== fingerprint),
    surplus: living.filter(({ key }) => !fingerprints.has(key)),
    ending: running.length - living.length,
  }
}

const keysOf = (pods: readonly WantedPod[]): readonly string[] => pods.map(({ key }) => key)
const nothing: RolloutStep = { start: [], end: [] }

/** New pods first, as far as the surge goes; an old one ends when as many are ready without it. */
function deployment({ count, missing, current, outdated, surplus }: Sorted): RolloutStep {
  const old = [...surplus, ...outdated]
  const living = current.length + old.length
  const start = missing.slice(0, Math.max(0, count + maxSurge - living))
  const leastReady = count - maxUnavailable
  // Pods on their way count as unavailable, so that of the old ones no more end than have been replaced.
  let budget = living - leastReady - current.filter(({ ready }) => !ready).length
  const end: string[] = []
  const take = (pods: readonly RunningPod[], most: number) => {
    const taken = pods.slice(0, Math.max(0, Math.min(most, budget)))
    budget -= taken.length
    end.push(...keysOf(taken))
  }
  take(
    old.filter(({ ready }) => !ready),
    Number.POSITIVE_INFINITY,
  )
  const ready = [...current, ...old].filter((pod) => pod.ready).length
  take(
    old.filter((pod) => pod.ready),
    ready - leastReady,
  )
  return { start, end }
}

/** One after the other: up from the lowest ordinal, down and anew from the highest, none while another is on its way. */
function statefulSet({ missing, current, outdated, surplus, ending }: Sorted): RolloutStep {
  if (ending > 0 || current.some(({ ready }) => !ready)) return nothing
  if (missing.length > 0) return { start: missing.slice(0, 1), end: [] }
  return { start: [], end: keysOf(surplus.length > 0 ? surplus.slice(-1) : outdated.slice(-1)) }
}

/** A node's pod cannot be there twice: the old one ends first, on one node at a time. One that is not ready is no loss. */
function daemonSet({ missing, current, outdated, surplus, ending }: Sorted): RolloutStep {
  const busy = ending > 0 || missing.length > 0 || current.some(({ ready }) => !ready)
  const broken = outdated.filter(({ ready }) => !ready)
  const next = broken.length > 0 || busy ? broken : outdated.slice(0, 1)
  return { start: missing, end: keysOf([...surplus, ...next]) }
}
