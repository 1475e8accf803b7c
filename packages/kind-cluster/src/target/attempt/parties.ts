import { flowOf, type ResolvedAttempt } from '@bulkhead/scenarios'
import type { Pod, ServiceModel, Snapshot } from '@bulkhead/verdict'
import type { Asked, Party } from '../../evidence/index.js'
import type { Outside } from '../../outside/index.js'
import { isOnOutside } from './nowhere.js'
import { podOf } from './resolve.js'

const apiServer = 'default/kubernetes'
/** The first of kind-config.yaml's serviceSubnet, and the port behind it, as kubeadm has them. */
const apiServerAddress = '10.96.0.1'
const apiServerPort = 6443

/** Both ends of an attempt, as records are looked for. `caller` is absent for who comes from outside. */
export function partiesOf(
  from: string,
  attempt: ResolvedAttempt,
  snapshot: Snapshot,
  caller: Pod | undefined,
  outside?: Outside,
): Pick<Asked, 'from' | 'to' | 'flow'> {
  const flow = flowOf(from, attempt)
  return {
    from: caller === undefined ? { ips: [] } : ofPods(caller.workload, [caller]),
    to:
      outside !== undefined && isOnOutside(attempt)
        ? onOutside(attempt, outside)
        : destination(attempt, snapshot, caller),
    ...(flow !== undefined && { flow }),
  }
}

/** It is on no node. */
const onOutside = ({ host, port }: ResolvedAttempt, { address }: Outside): Party => ({
  ...{ host, ips: [address], nodes: [], ports: [port] },
})

function destination({ to, kind, port, host }: ResolvedAttempt, snapshot: Snapshot, caller: Pod | undefined): Party {
  if ('service' in to) {
    const service = snapshot.services.get(to.service)
    if (service === undefined && to.service === apiServer) return onControlPlane(snapshot, port)
    return service === undefined ? { service: to.service, ips: [] } : ofService(service, port, snapshot)
  }
  if (kind === 'dns') return ofPods('kube-system/kube-dns', [snapshot.platform.dns])
  const pod = podOf(to, snapshot, caller)
  if (pod !== undefined) return { ...ofPods(pod.workload, [pod]), ports: [port] }
  return { host, ips: 'ip' in to && to.ip !== undefined ? [to.ip] : [], ports: [port] }
}

/** The Service of no pods: its address is rewritten to the control plane's before Cilium's rules are asked, and so it is what Hubble tells. */
const onControlPlane = ({ platform: { controlPlane } }: Snapshot, port: number): Party => ({
  ...{ service: apiServer, ips: [apiServerAddress, controlPlane.ip], nodes: [controlPlane.name] },
  ports: [port, apiServerPort],
})

function ofService(service: ServiceModel, port: number, snapshot: Snapshot): Party {
  const pods = service.endpoints.flatMap((key) => snapshot.pods.get(key) ?? [])
  const targets = pods.flatMap((pod) => snapshot.targetPort(service, port, pod) ?? [])
  const own = service.clusterIP === undefined ? [] : [service.clusterIP]
  return {
    service: service.key,
    ips: [...own, ...pods.map(({ ip }) => ip)],
    nodes: [...new Set(pods.map(({ node }) => node))],
    ports: [...new Set([port, ...targets])],
  }
}

const ofPods = (workload: string, pods: readonly Pod[]): Party => ({
  workload,
  ips: pods.map(({ ip }) => ip),
  nodes: [...new Set(pods.map(({ node }) => node))],
})
