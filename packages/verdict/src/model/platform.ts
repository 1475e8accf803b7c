import type { NodeModel, Platform, Pod, ServiceModel } from '../types.js'
import {
  apiServerAddress,
  controlPlaneNode,
  dnsAddress,
  dnsPodAddress,
  istiodAddress,
  istiodPodAddress,
} from './platform-addresses.js'
import { identityOf } from './pods.js'

/** Where the API server answers, on the control plane's node. */
export const apiServerPort = 6443
const apiServerService = 'default/kubernetes'

/** What stands on a cluster without any manifest of ours, with the Services that lead to it. */
export interface PlatformModel {
  readonly platform: Platform
  /** Those that no manifest holds, by key. */
  readonly pods: ReadonlyMap<string, Pod>
  readonly services: ReadonlyMap<string, ServiceModel>
}

interface Known {
  readonly trustDomain: string
  readonly nodes: readonly NodeModel[]
  readonly pods: ReadonlyMap<string, Pod>
  readonly services: ReadonlyMap<string, ServiceModel>
}

/**
 * kube-dns, istiod and the control plane, as kind and Istio's chart install them. Where the manifests hold a workload or a
 * Service of such a name, theirs counts.
 */
export function modelPlatform({ trustDomain, nodes, pods, services }: Known): PlatformModel {
  const controlPlane = nodes.find(({ name }) => name === controlPlaneNode.name) ?? controlPlaneNode
  // The control plane's taint keeps istiod away; CoreDNS tolerates it.
  const worker = nodes[0]?.name ?? controlPlane.name
  const [dns, istiod] = [
    modelPod(trustDomain, {
      namespace: 'kube-system',
      name: 'coredns',
      labels: { 'k8s-app': 'kube-dns' },
      node: controlPlane.name,
      ip: dnsPodAddress,
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
        { name: 'metrics', port: 9153, protocol: 'TCP' },
      ],
    }),
    modelPod(trustDomain, {
      namespace: 'istio-system',
      name: 'istiod',
      labels: { app: 'istiod', istio: 'pilot' },
      node: worker,
      ip: istiodPodAddress,
      ports: [
        { name: 'grpc-xds', port: 15010, protocol: 'TCP' },
        { name: 'https-dns', port: 15012, protocol: 'TCP' },
        { name: 'https-webhooks', port: 15017, protocol: 'TCP' },
        { name: 'http-monitoring', port: 15014, protocol: 'TCP' },
      ],
    }),
  ]
  const own = [...pods.values()]
  const ofManifests = (pod: Pod, service: string): Pod | undefined => {
    const [endpoint] = services.get(service)?.endpoints ?? []
    return endpoint === undefined ? own.find(({ workload }) => workload === pod.workload) : pods.get(endpoint)
  }
  const platform: Platform = {
    dns: ofManifests(dns, 'kube-system/kube-dns') ?? dns,
    istiod: ofManifests(istiod, 'istio-system/istiod') ?? istiod,
    controlPlane,
  }
  const missing = [dns, istiod].filter((pod) => platform.dns === pod || platform.istiod === pod)
  return {
    platform,
    pods: new Map(missing.map((pod) => [pod.key, pod])),
    services: new Map(
      platformServices(platform)
        .filter(({ key }) => !services.has(key))
        .map((service) => [service.key, service]),
    ),
  }
}

interface PlatformPod extends Pick<Pod, 'namespace' | 'name' | 'labels' | 'node' | 'ip' | 'ports'> {}

function modelPod(trustDomain: string, { namespace, name, labels, node, ip, ports }: PlatformPod): Pod {
  const key = `${namespace}/${name}`
  return {
    key,
    namespace,
    name,
    workload: key,
    labels,
    serviceAccount: name,
    identity: identityOf(trustDomain, namespace, name),
    mesh: false,
    hostNetwork: false,
    node,
    ip,
    ports,
  }
}

function platformServices({ dns, istiod }: Platform): readonly ServiceModel[] {
  const service = (
    key: string,
    clusterIP: string,
    ports: ServiceModel['ports'],
    endpoints: readonly string[],
  ): ServiceModel => {
    const [namespace = '', name = ''] = key.split('/')
    return { key, namespace, name, clusterIP, ports, external: false, endpoints }
  }
  const tcp = (name: string, port: number, targetPort = port): ServiceModel['ports'][number] => ({
    name,
    port,
    targetPort,
    protocol: 'TCP',
  })
  return [
    // The API server is no pod: its endpoint is the node.
    service(apiServerService, apiServerAddress, [tcp('https', 443, apiServerPort)], []),
    service(
      'kube-system/kube-dns',
      dnsAddress,
      [{ name: 'dns', port: 53, targetPort: 53, protocol: 'UDP' }, tcp('dns-tcp', 53), tcp('metrics', 9153)],
      [dns.key],
    ),
    service(
      'istio-system/istiod',
      istiodAddress,
      [
        tcp('grpc-xds', 15010),
        tcp('https-dns', 15012),
        tcp('https-webhook', 443, 15017),
        tcp('http-monitoring', 15014),
      ],
      [istiod.key],
    ),
  ]
}

/** Whether a Service is the API server's, and not one of the manifests that has its name. */
export function isApiServer(service: ServiceModel, { services }: Pick<PlatformModel, 'services'>): boolean {
  return service.key === apiServerService && services.get(service.key) === service
}
