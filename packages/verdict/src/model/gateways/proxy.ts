import type { ProxyKind } from './classes.js'

/*
 * The pods of istiod's two templates (kube-gateway.yaml and waypoint.yaml of its chart), with the values that
 * k8s/platform sets: profile ambient, gateways.seccompProfile RuntimeDefault, the rest as the chart has it. Admission
 * judges these pods like any other, so nothing that a policy may look at is left out.
 */

type Fields = Readonly<Record<string, unknown>>

/** The one pin of Istio here; k8s/platform/versions.yaml holds it for the charts. */
export const istioVersion = '1.30.4'
const hub = 'docker.io/istio'
/** Profile ambient sets `global.variant`. */
const variant = 'distroless'
/** What istiod runs for a Gateway without a word on it. */
export const proxyImage = `${hub}/proxyv2:${istioVersion}-${variant}`
const seccompProfile = { type: 'RuntimeDefault' }

/** Readiness of the proxy. The Service carries this port of its own ones only. */
export const statusPort = 15021
const ownPorts = [
  { containerPort: 15020, name: 'metrics', protocol: 'TCP' },
  { containerPort: statusPort, name: 'status-port', protocol: 'TCP' },
  { containerPort: 15090, name: 'http-envoy-prom', protocol: 'TCP' },
]

/** Of whose pods it is. */
export interface ProxyPod {
  readonly kind: ProxyKind
  readonly namespace: string
  /** Name of the Deployment. */
  readonly name: string
  readonly account: string
  /** The Gateway's own: some say which image runs, and how much it logs. */
  readonly annotations: Readonly<Record<string, string>>
}

/** `spec` of the pod template, before the parametersRef is laid over it. */
export function proxyPodSpec(pod: ProxyPod): Fields {
  const { kind, account } = pod
  const isGateway = kind === 'gateway'
  const container = {
    name: 'istio-proxy',
    image: imageOf(pod.annotations),
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: limits[kind] },
    securityContext: {
      privileged: false,
      runAsUser: 1337,
      runAsGroup: 1337,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
      ...(!isGateway && { seccompProfile }),
    },
    ports: ownPorts,
    args: argumentsOf(pod),
    env: environmentOf(pod),
    startupProbe: probe(30, 1, 1),
    readinessProbe: probe(4, 0, 15),
    volumeMounts: mounts[kind].map(([name, mountPath]) => ({ name, mountPath })),
  }
  return {
    // The one privilege of a gateway: ports below 1024, without being root.
    ...(isGateway && {
      securityContext: { sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }], seccompProfile },
    }),
    serviceAccountName: account,
    containers: [container],
    volumes: volumes[kind],
  }
}

/** A name with a slash is a whole one, whosever image it is; of another type only the tag's end is another. */
function imageOf(annotations: ProxyPod['annotations']): string {
  const image = annotations['sidecar.istio.io/proxyImage'] ?? ''
  if (image.includes('/')) return image
  const type = annotations['sidecar.istio.io/proxyImageType']
  if (type === undefined) return proxyImage
  return `${hub}/proxyv2:${istioVersion}${type === '' || type === 'default' ? '' : `-${type}`}`
}

function argumentsOf({ kind, account, annotations }: ProxyPod): string[] {
  const logs = [
    ['--proxyLogLevel', 'sidecar.istio.io/logLevel', 'warning'],
    ['--proxyComponentLogLevel', 'sidecar.istio.io/componentLogLevel', 'misc:error'],
    ['--log_output_level', 'sidecar.istio.io/agentLogLevel', 'default:info'],
  ] as const
  return [
    'proxy',
    kind === 'gateway' ? 'router' : 'waypoint',
    ...['--domain', '$(POD_NAMESPACE).svc.cluster.local'],
    ...(kind === 'gateway' ? [] : ['--serviceCluster', `${account}.$(POD_NAMESPACE)`]),
    ...logs.flatMap(([flag, annotation, usual]) => [flag, annotations[annotation] ?? usual]),
  ]
}

function environmentOf({ kind, namespace, name }: ProxyPod): Fields[] {
  const value = (key: string, text: string) => ({ name: key, value: text })
  const field = (key: string, fieldPath: string) => ({ name: key, valueFrom: { fieldRef: { fieldPath } } })
  const limit = (key: string, resource: string) => ({
    name: key,
    valueFrom: { resourceFieldRef: { resource, divisor: '1' } },
  })
  const isGateway = kind === 'gateway'
  const node = field('ISTIO_META_NODE_NAME', 'spec.nodeName')
  const hbone = value('ISTIO_META_ENABLE_HBONE', 'true')
  return [
    ...(isGateway ? [] : [field('ISTIO_META_SERVICE_ACCOUNT', 'spec.serviceAccountName'), node]),
    value('PILOT_CERT_PROVIDER', 'istiod'),
    value('CA_ADDR', 'istiod.istio-system.svc:15012'),
    field('POD_NAME', 'metadata.name'),
    field('POD_NAMESPACE', 'metadata.namespace'),
    field('INSTANCE_IP', 'status.podIP'),
    field('SERVICE_ACCOUNT', 'spec.serviceAccountName'),
    field('HOST_IP', 'status.hostIP'),
    limit('ISTIO_CPU_LIMIT', 'limits.cpu'),
    value('PROXY_CONFIG', `${JSON.stringify(proxyConfig)}\n`),
    ...(isGateway ? [value('ISTIO_META_POD_PORTS', '[]'), value('ISTIO_META_APP_CONTAINERS', '')] : [hbone]),
    limit('GOMEMLIMIT', 'limits.memory'),
    limit('GOMAXPROCS', 'limits.cpu'),
    value('ISTIO_META_CLUSTER_ID', 'Kubernetes'),
    ...(isGateway ? [node] : []),
    value('ISTIO_META_INTERCEPTION_MODE', 'REDIRECT'),
    value('ISTIO_META_WORKLOAD_NAME', name),
    value('ISTIO_META_OWNER', `kubernetes://apis/apps/v1/namespaces/${namespace}/deployments/${name}`),
    value('ISTIO_META_MESH_ID', 'cluster.local'),
    value('TRUST_DOMAIN', 'cluster.local'),
    ...(isGateway ? [hbone] : []),
  ]
}

const proxyConfig = { proxyMetadata: { ISTIO_META_ENABLE_HBONE: 'true' }, image: { imageType: variant } }

const probe = (failureThreshold: number, initialDelaySeconds: number, periodSeconds: number): Fields => ({
  failureThreshold,
  httpGet: { path: '/healthz/ready', port: statusPort, scheme: 'HTTP' },
  initialDelaySeconds,
  periodSeconds,
  successThreshold: 1,
  timeoutSeconds: 1,
})

const limits: Readonly<Record<ProxyKind, Fields>> = {
  gateway: { cpu: '2000m', memory: '1024Mi' },
  waypoint: { cpu: '2', memory: '1Gi' },
}

const shared = {
  socket: ['workload-socket', '/var/run/secrets/workload-spiffe-uds'],
  root: ['istiod-ca-cert', '/var/run/secrets/istio'],
  data: ['istio-data', '/var/lib/istio/data'],
  envoy: ['istio-envoy', '/etc/istio/proxy'],
  token: ['istio-token', '/var/run/secrets/tokens'],
  info: ['istio-podinfo', '/etc/istio/pod'],
} as const

const mounts: Readonly<Record<ProxyKind, readonly (readonly [name: string, path: string])[]>> = {
  gateway: [
    shared.socket,
    ['credential-socket', '/var/run/secrets/credential-uds'],
    ['workload-certs', '/var/run/secrets/workload-spiffe-credentials'],
    ...[shared.root, shared.data, shared.envoy, shared.token, shared.info],
  ],
  waypoint: [shared.socket, shared.root, shared.data, shared.envoy, shared.token, shared.info],
}

const empty = (name: string): Fields => ({ name, emptyDir: {} })
const inMemory = (name: string): Fields => ({ name, emptyDir: { medium: 'Memory' } })
const item = (path: string): Fields => ({ path, fieldRef: { fieldPath: `metadata.${path}` } })
const info = { name: 'istio-podinfo', downwardAPI: { items: [item('labels'), item('annotations')] } }
/** For istiod alone: the API server does not take a token of this audience. */
const serviceAccountToken = { path: 'istio-token', expirationSeconds: 43_200, audience: 'istio-ca' }
const token = { name: 'istio-token', projected: { sources: [{ serviceAccountToken }] } }
const root = { name: 'istiod-ca-cert', configMap: { name: 'istio-ca-root-cert' } }

const volumes: Readonly<Record<ProxyKind, readonly Fields[]>> = {
  gateway: [
    ...[empty('workload-socket'), empty('credential-socket'), empty('workload-certs')],
    ...[inMemory('istio-envoy'), empty('istio-data'), info, token, root],
  ],
  waypoint: [
    ...[empty('workload-socket'), inMemory('istio-envoy'), inMemory('go-proxy-envoy')],
    ...[empty('istio-data'), empty('go-proxy-data'), info, token, root],
  ],
}
