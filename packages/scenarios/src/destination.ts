import type { FlowDestination, Pod, Snapshot } from '@bulkhead/verdict'

/* What an attempt's words mean on a target: which pod, which address, which identity. */

/** The first of these pods that is meant, where a workload or labels say which. */
export function podMeant(to: FlowDestination, pods: readonly Pod[]): Pod | undefined {
  if ('workload' in to) return pods.find((pod) => pod.workload === to.workload || pod.key === to.workload)
  if (!('labels' in to)) return undefined
  const wanted = Object.entries(to.labels)
  return pods.find((pod) => pod.namespace === to.namespace && wanted.every(([key, value]) => pod.labels[key] === value))
}

/** What is dialled, where it is no Service: a name outside, or the address of the pod that is meant, or of a node. */
export function hostMeant(to: FlowDestination, snapshot: Snapshot, pod: Pod | undefined): string | undefined {
  if ('host' in to) return to.host
  if (pod !== undefined) return pod.ip
  if ('ip' in to && to.ip !== undefined) return to.ip
  const { dns, istiod, controlPlane } = snapshot.platform
  if ('node' in to) return [...snapshot.nodes, controlPlane].find(({ name }) => name === to.node)?.ip
  // What every cluster has.
  if ('workload' in to) return [dns, istiod].find(({ key, workload }) => [key, workload].includes(to.workload))?.ip
  return undefined
}

/** The DNS name of a Service that is given as namespace/name, whether there is one or not: that is a fair thing to try. */
export function serviceHost(key: string): string | undefined {
  const [namespace, name] = key.split('/')
  return namespace && name ? `${name}.${namespace}.svc.cluster.local` : undefined
}

/** The identity of a ServiceAccount that is given as namespace/name, in the trust domain of another identity. */
export function identityMeant(account: string, own: string): string | undefined {
  const [namespace, name] = account.split('/')
  const domain = own.replace(/^spiffe:\/\//, '').split('/')[0] || 'cluster.local'
  return namespace && name ? `spiffe://${domain}/ns/${namespace}/sa/${name}` : undefined
}
