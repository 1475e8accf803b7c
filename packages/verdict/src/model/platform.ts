import type { NodeModel, Platform, Pod } from '../types.js'
import { identityOf } from './pods.js'

/** kind's control plane: the first address of its network, and of the pods' block of its node. */
const controlPlane: NodeModel = { name: 'bulkhead-control-plane', ip: '172.18.0.2' }

/** What stands on a cluster without any manifest of ours. */
export function modelPlatform(trustDomain: string): Platform {
  const pod = (
    namespace: string,
    workload: string,
    labels: Readonly<Record<string, string>>,
    ip: string,
    ports: Pod['ports'],
  ): Pod => ({
    key: `${namespace}/${workload}`,
    namespace,
    name: workload,
    workload: `${namespace}/${workload}`,
    labels,
    serviceAccount: workload,
    identity: identityOf(trustDomain, namespace, workload),
    mesh: false,
    hostNetwork: false,
    node: controlPlane.name,
    ip,
    ports,
  })
  return {
    dns: pod('kube-system', 'coredns', { 'k8s-app': 'kube-dns' }, '10.244.0.2', [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    ]),
    istiod: pod('istio-system', 'istiod', { app: 'istiod', istio: 'pilot' }, '10.244.0.3', [
      { name: 'grpc-xds', port: 15010, protocol: 'TCP' },
      { name: 'https-dns', port: 15012, protocol: 'TCP' },
      { name: 'https-webhooks', port: 15017, protocol: 'TCP' },
    ]),
    controlPlane,
  }
}
