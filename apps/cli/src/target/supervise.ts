import type { ManifestsEvent, ProgressEvent } from '@bulkhead/local-cluster'
import type { Started, SupervisorOptions } from './messages.js'

/** How long all pods may take; those that are not ready then are named, and the rest stays up. */
const readyMs = 60_000

export interface Supervisor extends Started {
  /** Resolves when a client (`bulkhead down`) asks for the end. */
  readonly asked: Promise<void>
  stop(options?: { readonly graceMs?: number }): Promise<void>
}

/**
 * Starts the local target in this process and waits until it is ready. `told` hears of each save from then on.
 *
 * @throws DOMException AbortError when the signal was given first; then nothing is left of it.
 */
export async function supervise(
  options: SupervisorOptions,
  signal: AbortSignal,
  progress: (event: ProgressEvent) => void,
  told: (event: ManifestsEvent) => void,
): Promise<Supervisor> {
  const began = performance.now()
  // Loaded here: it is the whole data plane, and most commands do without it.
  const { startTarget } = await import('@bulkhead/control/server')
  const target = await startTarget({ ...options, watch: true, progress, signal }).catch((error: unknown) => {
    throw signal.aborted ? interrupted() : error
  })
  target.cluster.onManifests(told)
  const left = await target.cluster.whenReady(readyMs, signal)
  if (signal.aborted) {
    await target.stop()
    throw interrupted()
  }
  const { tail } = await import('@bulkhead/local-cluster')
  const status = target.cluster.status()
  const notReady = left.map((pod) => ({
    pod,
    workload: status.workloads.find(({ pods }) => pods.some((one) => one.pod === pod))?.workload ?? pod,
    log: target.cluster
      .logs(pod)
      .map(({ file }) => tail(file, 4).text)
      .join(''),
  }))
  const report = {
    url: target.url,
    tookMs: Math.round(performance.now() - began),
    notReady,
    status,
  }
  const toldOnce = target.cluster.takeUntold()
  return { report, toldOnce, asked: target.asked, stop: (how) => target.stop(how) }
}

const interrupted = (): DOMException => new DOMException('the start was interrupted', 'AbortError')
