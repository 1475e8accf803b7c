import type { KubernetesObject, Pod as PodObject, PodTemplate, Resource, Service, Workload } from '@bulkhead/resources'
import { compile, gatewayObjects, type Pod, type Snapshot } from '@bulkhead/verdict'
import type { LiveObject } from '../live/index.js'
import type { LiveRead } from '../live/read.js'
import { withServersDefaults } from './server-defaults.js'

/*
 * What an API server would give of manifests that were applied: with its defaults, with status, with what controllers make,
 * at addresses of a cluster of its own. Written from the other side than the reading of it: it adds, that takes away.
 */

const node = (name: string, ip: string, labels: Readonly<Record<string, string>> = {}): LiveObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
  spec: {},
  status: {
    addresses: [
      { type: 'InternalIP', address: ip },
      { type: 'Hostname', address: name },
    ],
  },
})

const controlPlane = { 'node-role.kubernetes.io/control-plane': '' }

/** A cluster's addresses: none is one that the engine would choose. */
const servedNodes = [
  node('bulkhead-control-plane', '172.30.0.4', controlPlane),
  node('bulkhead-worker', '172.30.0.2'),
  node('bulkhead-worker2', '172.30.0.3'),
]

const kinds = ['namespaces', 'pods']

/** What `readLive` would find when these objects had been applied. */
export function served(resources: readonly Resource[], snapshot: Snapshot = compile(resources)): LiveRead {
  const secrets = resources.filter(({ kind }) => kind === 'Secret')
  const made = gatewayObjects(resources)
  const objects = [...resources.filter(({ kind }) => kind !== 'Secret' && kind !== 'Pod'), ...made]
  const templates = new Map(objects.filter(isWorkload).map((one) => [`${one.namespace}/${one.name}`, one] as const))
  const bare = new Map(resources.filter(isPod).map((one) => [`${one.namespace}/${one.name}`, one] as const))
  const pods = [...snapshot.pods.values()].map((pod, index) => servedPod(pod, index, templates, bare))
  return {
    objects: [
      ...servedNodes,
      ...platform(),
      ...objects.map((one) => asServed(one.object, snapshot.services.get(`${one.namespace}/${one.name}`)?.key)),
      ...pods,
      ...inEachNamespace(resources),
    ],
    secrets: new Set(secrets.map(({ namespace, name }) => `${namespace}/${name}`)),
    kinds,
  }
}

const isWorkload = (one: Resource): one is Resource<Workload> =>
  ['Deployment', 'StatefulSet', 'DaemonSet'].includes(one.kind)
const isPod = (one: Resource): one is Resource<PodObject> => one.kind === 'Pod'

/** An object after `kubectl apply`. */
export function asServed(object: KubernetesObject, service?: string): LiveObject {
  const { apiVersion, kind, metadata, ...rest } = object
  const whole = withServersDefaults(object, service === undefined ? undefined : addressOf(service))
  const labels = kind === 'Namespace' ? { 'kubernetes.io/metadata.name': metadata.name } : {}
  return {
    ...rest,
    ...whole,
    apiVersion,
    kind,
    metadata: {
      ...metadata,
      ...(metadata.labels !== undefined || kind === 'Namespace' ? { labels: { ...metadata.labels, ...labels } } : {}),
      annotations: {
        ...metadata.annotations,
        'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(object)}\n`,
        ...(kind === 'Deployment' && { 'deployment.kubernetes.io/revision': '1' }),
      },
      uid: `uid-of-${kind}-${metadata.name}`,
      ...{ resourceVersion: '4711', generation: 1, creationTimestamp: '2026-11-22T03:00:00Z' },
      ...{ managedFields: [{ manager: 'kubectl', operation: 'Apply', fieldsType: 'FieldsV1', fieldsV1: {} }] },
    },
    ...(['Namespace', 'Deployment', 'Gateway'].includes(kind) && { status: { phase: 'Active', conditions: [] } }),
  }
}

function addressOf(service: string): string {
  const sum = [...service].reduce((number, letter) => (number * 31 + letter.charCodeAt(0)) % 60_000, 7)
  return `10.96.${100 + (sum >> 9)}.${1 + (sum & 127)}`
}

function servedPod(
  pod: Pod,
  index: number,
  templates: ReadonlyMap<string, Resource<Workload>>,
  bare: ReadonlyMap<string, Resource<PodObject>>,
): LiveObject {
  const owner = templates.get(pod.workload)
  const alone = bare.get(pod.key)?.object
  const template: PodTemplate = owner?.object.spec.template ?? { spec: alone?.spec ?? { containers: [] } }
  const { namespace, node: nodeName, labels } = pod
  const nodes = Object.fromEntries(servedNodes.map((one) => [one.metadata.name, one]))
  const at = { podIP: `10.244.${40 + (index >> 7)}.${2 + (index & 127)}`, hostIP: '172.30.0.2' }
  const object = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: pod.name,
      namespace,
      labels,
      annotations: alone?.metadata.annotations ?? template.metadata?.annotations ?? {},
    },
    spec: template.spec,
  }
  const live = asServed(object as KubernetesObject)
  const hostIp = (nodes[nodeName]?.status as { addresses: { address: string }[] } | undefined)?.addresses[0]?.address
  return {
    ...live,
    metadata: {
      ...live.metadata,
      ...(owner !== undefined && { ownerReferences: [{ ...ownerOf(owner, labels), controller: true }] }),
    },
    spec: { ...(live.spec as object), nodeName },
    status: {
      ...{ phase: 'Running', ...at, ...(pod.hostNetwork && { podIP: hostIp }) },
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: (template.spec.containers ?? []).map(({ name }) => ({
        name,
        ready: true,
        state: { running: {} },
      })),
    },
  }
}

function ownerOf({ kind, name }: Resource, labels: Readonly<Record<string, string>>): { kind: string; name: string } {
  return kind === 'Deployment' ? { kind: 'ReplicaSet', name: `${name}-${labels['pod-template-hash']}` } : { kind, name }
}

function containerPortOf(port: object): object {
  const { port: _, targetPort: __, ...own } = { port: 0, targetPort: 0, ...port }
  return own
}

function portOf(port: object): object {
  const { containerPort: _, ...own } = { containerPort: 0, ...port }
  return own
}

/** What is on every cluster and in no file of ours. */
function platform(): readonly LiveObject[] {
  const service = (namespace: string, name: string, clusterIP: string, selector: object, ports: readonly object[]) =>
    asServed({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { clusterIP, selector, ports: ports.map(portOf) },
    } as Service)
  const pod = (
    namespace: string,
    name: string,
    labels: object,
    podIP: string,
    ports: readonly object[],
    nodeName: string,
  ) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ name, namespace, labels: labels as Record<string, string> },
      ownerReferences: [{ kind: 'ReplicaSet', name: `${name.split('-')[0]}-5f8d`, controller: true }],
    },
    spec: {
      nodeName,
      serviceAccountName: name.split('-')[0],
      containers: [{ name: 'c', image: 'i', ports: ports.map(containerPortOf) }],
    },
    status: { phase: 'Running', podIP },
  })
  const dns = [
    { name: 'dns', port: 53, containerPort: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, containerPort: 53, protocol: 'TCP' },
    { name: 'metrics', port: 9153, containerPort: 9153, protocol: 'TCP' },
  ]
  const istiod = [
    { name: 'grpc-xds', port: 15010, containerPort: 15010, protocol: 'TCP' },
    { name: 'https-dns', port: 15012, containerPort: 15012, protocol: 'TCP' },
    { name: 'https-webhook', port: 443, targetPort: 15017, containerPort: 15017, protocol: 'TCP' },
    { name: 'http-monitoring', port: 15014, containerPort: 15014, protocol: 'TCP' },
  ]
  const hash = { 'pod-template-hash': '5f8d' }
  return [
    ...['kube-system', 'istio-system', 'kyverno', 'default'].map((name) =>
      asServed({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
    ),
    service('default', 'kubernetes', '10.96.0.1', {}, [{ name: 'https', port: 443, targetPort: 6443 }]),
    service('kube-system', 'kube-dns', '10.96.0.10', { 'k8s-app': 'kube-dns' }, dns),
    service('istio-system', 'istiod', '10.96.77.3', { app: 'istiod', istio: 'pilot' }, istiod),
    service('kyverno', 'kyverno-svc', '10.96.77.4', { app: 'kyverno' }, [{ port: 443 }]),
    pod(
      'kube-system',
      'coredns-5f8d-a',
      { 'k8s-app': 'kube-dns', ...hash },
      '10.244.90.2',
      dns,
      'bulkhead-control-plane',
    ),
    pod(
      'istio-system',
      'istiod-5f8d-a',
      { app: 'istiod', istio: 'pilot', ...hash },
      '10.244.91.9',
      istiod,
      'bulkhead-worker',
    ),
    pod('kube-system', 'cilium-abcde', { 'k8s-app': 'cilium' }, '172.30.0.2', [], 'bulkhead-worker'),
  ]
}

const inEachNamespace = (resources: readonly Resource[]): readonly LiveObject[] =>
  resources
    .filter(({ kind }) => kind === 'Namespace')
    .flatMap(({ name: namespace }) => [
      asServed({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } }),
      asServed({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kube-root-ca.crt', namespace } }),
      asServed({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'istio-ca-root-cert', namespace } }),
    ])
