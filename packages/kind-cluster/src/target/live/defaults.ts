import { isDeepStrictEqual } from 'node:util'
import { isRecord, listAt, valueAt } from './plain.js'

/*
 * What the API server adds to an object that does not say it: defaults of Kubernetes' own kinds at 1.35, and those that the
 * definitions of the other kinds have. Paths have no indexes; those of a pod's spec begin with `pod`, wherever it stands.
 */

type Value = unknown
/** Any value: the server, or a controller, chooses one. */
const chosen = Symbol('chosen')
type Table = Readonly<Record<string, Value>>

const probe: Table = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }
const under = (paths: readonly string[], table: Table): Table =>
  Object.fromEntries(paths.flatMap((path) => Object.entries(table).map(([name, value]) => [`${path}.${name}`, value])))

const containers = ['pod.containers[]', 'pod.initContainers[]']
const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((name) =>
  containers.map((path) => `${path}.${name}`),
)

const podSpec: Table = {
  'pod.restartPolicy': 'Always',
  'pod.terminationGracePeriodSeconds': 30,
  'pod.dnsPolicy': 'ClusterFirst',
  'pod.schedulerName': 'default-scheduler',
  'pod.securityContext': {},
  'pod.enableServiceLinks': true,
  'pod.serviceAccount': chosen,
  'pod.volumes[].secret.defaultMode': 420,
  'pod.volumes[].configMap.defaultMode': 420,
  'pod.volumes[].projected.defaultMode': 420,
  'pod.volumes[].downwardAPI.defaultMode': 420,
  'pod.volumes[].projected.sources[].serviceAccountToken.expirationSeconds': 3600,
  'pod.volumes[].projected.sources[].downwardAPI.items[].fieldRef.apiVersion': 'v1',
  'pod.volumes[].downwardAPI.items[].fieldRef.apiVersion': 'v1',
  'pod.volumes[].hostPath.type': '',
  ...under(containers, {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: chosen,
    resources: {},
    'ports[].protocol': 'TCP',
    'env[].valueFrom.fieldRef.apiVersion': 'v1',
  }),
  ...under(probes, { ...probe, 'httpGet.scheme': 'HTTP', 'httpGet.path': '/', 'grpc.service': '' }),
}

/** What only a pod that runs has, and no template. */
const runningPod: Table = {
  'pod.nodeName': chosen,
  'pod.priority': 0,
  'pod.preemptionPolicy': 'PreemptLowerPriority',
  'pod.tolerations': chosen,
  'pod.serviceAccountName': 'default',
  ...under(containers, { 'ports[].hostPort': chosen, 'resources.requests': chosen }),
}

const rolling = { type: 'RollingUpdate' }
const claim: Table = { volumeMode: 'Filesystem', volumeName: chosen, storageClassName: chosen }
const ofKind: Readonly<Record<string, Table>> = {
  Namespace: { spec: { finalizers: ['kubernetes'] } },
  Pod: runningPod,
  Deployment: {
    'spec.replicas': 1,
    'spec.revisionHistoryLimit': 10,
    'spec.progressDeadlineSeconds': 600,
    'spec.strategy': { ...rolling, rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    'spec.strategy.rollingUpdate': { maxSurge: '25%', maxUnavailable: '25%' },
    'spec.strategy.rollingUpdate.maxSurge': '25%',
    'spec.strategy.rollingUpdate.maxUnavailable': '25%',
  },
  StatefulSet: {
    'spec.replicas': 1,
    'spec.revisionHistoryLimit': 10,
    'spec.podManagementPolicy': 'OrderedReady',
    'spec.updateStrategy': { ...rolling, rollingUpdate: { partition: 0 } },
    'spec.persistentVolumeClaimRetentionPolicy': { whenDeleted: 'Retain', whenScaled: 'Retain' },
    'spec.volumeClaimTemplates[].apiVersion': 'v1',
    'spec.volumeClaimTemplates[].kind': 'PersistentVolumeClaim',
    'spec.volumeClaimTemplates[].status': { phase: 'Pending' },
    'spec.volumeClaimTemplates[].metadata.creationTimestamp': chosen,
    ...under(['spec.volumeClaimTemplates[].spec'], claim),
  },
  DaemonSet: {
    'spec.revisionHistoryLimit': 10,
    'spec.updateStrategy': { ...rolling, rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
    'spec.updateStrategy.rollingUpdate': { maxSurge: 0, maxUnavailable: 1 },
    'spec.updateStrategy.rollingUpdate.maxSurge': 0,
    'spec.updateStrategy.rollingUpdate.maxUnavailable': 1,
  },
  PersistentVolumeClaim: under(['spec'], claim),
  Service: {
    'spec.type': 'ClusterIP',
    'spec.clusterIP': chosen,
    'spec.clusterIPs': chosen,
    'spec.ipFamilies': chosen,
    'spec.ipFamilyPolicy': 'SingleStack',
    'spec.internalTrafficPolicy': 'Cluster',
    'spec.externalTrafficPolicy': 'Cluster',
    'spec.sessionAffinity': 'None',
    'spec.ports[].protocol': 'TCP',
    'spec.ports[].targetPort': chosen,
    'spec.ports[].nodePort': chosen,
  },
  ServiceAccount: { secrets: chosen },
  RoleBinding: { 'subjects[].apiGroup': chosen },
  ClusterRoleBinding: { 'subjects[].apiGroup': chosen },
  NetworkPolicy: { 'spec.ingress[].ports[].protocol': 'TCP', 'spec.egress[].ports[].protocol': 'TCP' },
  HTTPRoute: {
    'spec.parentRefs[].group': 'gateway.networking.k8s.io',
    'spec.parentRefs[].kind': 'Gateway',
    'spec.rules[].matches': [{ path: { type: 'PathPrefix', value: '/' } }],
    'spec.rules[].matches[].path': { type: 'PathPrefix', value: '/' },
    'spec.rules[].matches[].path.type': 'PathPrefix',
    'spec.rules[].matches[].path.value': '/',
    'spec.rules[].matches[].headers[].type': 'Exact',
    'spec.rules[].matches[].queryParams[].type': 'Exact',
    ...under(['spec.rules[].backendRefs[]'], { group: '', kind: 'Service', weight: 1 }),
    ...under(['spec.rules[].filters[].requestMirror.backendRef'], { group: '', kind: 'Service' }),
  },
  Gateway: {
    'spec.listeners[].allowedRoutes': { namespaces: { from: 'Same' } },
    'spec.listeners[].allowedRoutes.namespaces': { from: 'Same' },
    'spec.listeners[].allowedRoutes.namespaces.from': 'Same',
    'spec.listeners[].allowedRoutes.kinds[].group': 'gateway.networking.k8s.io',
    'spec.listeners[].tls.mode': 'Terminate',
    ...under(['spec.listeners[].tls.certificateRefs[]'], { group: '', kind: 'Secret' }),
    'spec.addresses[].type': 'IPAddress',
  },
  CiliumNetworkPolicy: cilium(),
  CiliumClusterwideNetworkPolicy: cilium(),
  ValidatingPolicy: {
    'spec.evaluation.admission.enabled': true,
    'spec.evaluation.background.enabled': true,
  },
  PolicyException: { 'spec.reportResult': 'skip' },
}

function cilium(): Table {
  const lists = ['ingress', 'egress', 'ingressDeny', 'egressDeny'].flatMap((name) => [
    `spec.${name}[]`,
    `specs[].${name}[]`,
  ])
  return under(lists, { 'icmps[].fields[].family': 'IPv4' })
}

export interface Added {
  readonly kind: string
  /** The object that lacks the field, in the file, and the live one that has it. */
  readonly file: Readonly<Record<string, unknown>>
  readonly live: Readonly<Record<string, unknown>>
}

/** What `kubectl rollout restart` writes: it starts pods anew, and changes nothing of them. */
const restartedAt = 'kubectl.kubernetes.io/restartedAt'
const ofTemplate = 'spec.template.metadata.annotations'

/** Whether a field that the file does not have is there because the server puts it there, with this value. */
export function addedByServer(path: string, value: unknown, { kind, file, live }: Added): boolean {
  const at = path.replace(kind === 'Pod' ? /^spec\b/ : /^spec\.template\.spec\b/, 'pod')
  if (at === 'spec.template.metadata.creationTimestamp' || at === `${ofTemplate}.${restartedAt}`) return true
  if (at === ofTemplate) return isRecord(value) && Object.keys(value).every((name) => name === restartedAt)
  if (kind === 'NetworkPolicy' && at === 'spec.policyTypes') return isDeepStrictEqual(value, policyTypes(file))
  if (at.endsWith('pod.serviceAccount')) return value === valueAt(file, 'serviceAccountName')
  if (/(^|\.)ports\[\]\.targetPort$/.test(at)) return value === live.port
  const table = at.startsWith('pod') ? { ...podSpec, ...(kind === 'Pod' ? runningPod : {}) } : (ofKind[kind] ?? {})
  const wanted = table[at]
  return wanted === chosen || isDeepStrictEqual(wanted, value)
}

/** What a NetworkPolicy is about that does not say so. */
function policyTypes(spec: unknown): readonly string[] {
  return ['Ingress', ...(isRecord(spec) && listAt(spec, 'egress').length > 0 ? ['Egress'] : [])]
}
