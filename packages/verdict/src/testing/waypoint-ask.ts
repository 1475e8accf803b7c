import type { Resource } from '@bulkhead/resources'
import type { Snapshot } from '../api.js'
import { judge } from '../flow/judge.js'
import type { Flow, Verdict } from '../types.js'
import type { RandomCall } from './arbitrary-calls.js'
import type { NaiveCluster, NaiveClusterPod } from './naive-cluster.js'
import { naiveRoute } from './naive-routes.js'
import { type NaiveCall, type NaiveWay, naiveWay } from './naive-way.js'
import { naiveOf, naivePod } from './network-world.js'

/*
 * Test code: one call asked of the engine and of the naive evaluators, and where they differ. The pods, their addresses
 * and the Services' are the engine's; everything else is read anew.
 */

export function naiveClusterOf(
  snapshot: Snapshot,
  resources: readonly Resource[],
  networks: readonly Resource[],
  readyOnce: ReadonlySet<string>,
  trustDomain = 'cluster.local',
): NaiveCluster {
  const pods = [...snapshot.pods.values()].map(
    (pod): NaiveClusterPod => ({ ...naivePod(pod), mesh: pod.mesh, principal: '', workload: pod.workload }),
  )
  const ips = [...snapshot.services.values()].map(({ key, clusterIP }) => [key, clusterIP ?? ''] as const)
  return {
    objects: resources.map(({ object }) => ({ ...object })),
    pods,
    clusterIps: Object.fromEntries(ips),
    readyOnce,
    trustDomain,
    world: naiveOf(snapshot, networks),
  }
}

export function askNaive(cluster: NaiveCluster, resources: readonly Resource[], one: RandomCall): NaiveWay {
  const podOf = (workload: string): NaiveClusterPod => {
    const found = cluster.pods.find((pod) => pod.workload === workload)
    if (found === undefined) throw new RangeError(`no ${workload}`)
    return found
  }
  const { from, to, port, request } = one
  const headers = Object.fromEntries(
    Object.entries(request?.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  )
  const call: NaiveCall = {
    from: from.includes('/') ? podOf(from) : { ip: from },
    to: 'workload' in to ? { pod: podOf(to.workload) } : to,
    port,
    ...(request !== undefined && { request: { ...request, headers } }),
  }
  return naiveWay(cluster, call, (gateway, at, asked) => {
    const services = new Set(Object.keys(cluster.clusterIps))
    const { code, backends = [] } = naiveRoute(resources, {}, services, gateway, at, asked)
    const [backend] = backends
    return backend === undefined ? { code } : { service: String(backend.split(' ')[0]), port: 80 }
  })
}

export function askEngine(snapshot: Snapshot, { from, to, port, request }: RandomCall): Verdict {
  const flow: Flow = {
    from: from.includes('/') ? { workload: from } : { external: from },
    to: 'gateway' in to ? { service: `${to.gateway}-istio` } : to,
    port,
    ...(request !== undefined && { http: request }),
  }
  return judge(flow, snapshot)
}

/** In words; empty when they agree on the outcome, on what decided (which hop, which wall, why), and what the client sees. */
export function differences({ outcome, by, symptoms, hops }: NaiveWay, verdict: Verdict): string[] {
  const step = verdict.decidedBy === undefined ? undefined : verdict.steps[verdict.decidedBy.step]
  const found: string[] = []
  if (outcome !== verdict.outcome) found.push(`the engine says ${verdict.outcome}, the naive evaluator ${outcome}`)
  if (by?.hop !== step?.hop) found.push(`at hop ${step?.hop}, not ${by?.hop}`)
  // What fails without any wall, as a Service of no pods, is told of some point or other.
  if (by?.point !== 'network' && by?.point !== step?.point) found.push(`at ${step?.point}, not ${by?.point}`)
  if (by !== undefined && step !== undefined && !by.codes.includes(step.code))
    found.push(`because ${step.code}, not ${by.codes.join(' or ')}`)
  const went = verdict.hops.map(({ from, to, tuple, as }) => ({ from, to, port: tuple.port, ...(as && { as }) }))
  if (outcome === 'allow' && JSON.stringify(went) !== JSON.stringify(hops))
    found.push(`by ${JSON.stringify(went)}, not ${JSON.stringify(hops)}`)
  if (outcome !== 'unknown' && !symptoms.includes(verdict.symptom))
    found.push(`the client sees ${verdict.symptom}, not ${symptoms.join(' or ')}`)
  return found
}
