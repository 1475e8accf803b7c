import { type Flow, judge, type Pod, type Snapshot } from '@bulkhead/verdict'

/** Beyond this many pairs only those with the flow's own source are asked. */
const maxPairs = 20_000

export interface Opened {
  /** `shop/sleep -> shop/web-api:9090` */
  readonly flows: readonly string[]
  /** The only caller that was asked about, where the set is too large to ask about all. */
  readonly askedOnly?: string
}

/** The flows between workloads, on the ports that they declare, that one snapshot denies and the next one allows; without `flow` itself. */
export function opened(flow: Flow, before: Snapshot, after: Snapshot): Opened {
  const pods = onePerWorkload(after)
  const source = 'workload' in flow.from ? flow.from.workload : undefined
  const all = pods.length * pods.length <= maxPairs
  const found: string[] = []
  for (const from of pods) {
    if (!all && from.workload !== source) continue
    for (const to of pods) {
      if (to === from) continue
      for (const { port, protocol } of to.ports) {
        if (protocol !== 'TCP' || (from.workload === source && isDestination(flow, to, port, after))) continue
        const other: Flow = { from: { workload: from.workload }, to: { workload: to.workload }, port }
        if (judge(other, before).outcome !== 'allow' && judge(other, after).outcome === 'allow') {
          found.push(`${from.workload} -> ${to.workload}:${port}`)
        }
      }
    }
  }
  return { flows: found, ...(!all && { askedOnly: source ?? 'no workload' }) }
}

function onePerWorkload(snapshot: Snapshot): readonly Pod[] {
  const seen = new Map<string, Pod>()
  for (const pod of snapshot.pods.values()) if (!seen.has(pod.workload)) seen.set(pod.workload, pod)
  return [...seen.values()]
}

/** Whether the flow that is to be allowed ends at that pod and port: that one is meant to open. */
function isDestination({ to, port }: Flow, pod: Pod, podPort: number, snapshot: Snapshot): boolean {
  if ('workload' in to) return to.workload === pod.workload && port === podPort
  if ('ip' in to && !('host' in to)) return to.ip === pod.ip && port === podPort
  const service = 'service' in to ? snapshot.services.get(to.service) : undefined
  const key = 'host' in to ? snapshot.resolveName(to.host, pod.namespace) : undefined
  const meant = service ?? (key?.kind === 'service' ? key.service : undefined)
  if (
    meant === undefined ||
    !meant.endpoints.some((endpoint) => snapshot.pods.get(endpoint)?.workload === pod.workload)
  )
    return false
  return snapshot.targetPort(meant, port, pod) === podPort
}
