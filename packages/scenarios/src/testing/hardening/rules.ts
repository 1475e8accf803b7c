import type { LabelSelector, NetworkPolicy, Resource, RoleBinding } from '@bulkhead/resources'
import { selectorMatches } from '@bulkhead/resources/selectors'
import type { HeldContainer, HeldPod, Security } from './pods.js'

/*
 * What the usual scanners of manifests ask, as data. A rule says of a pod, or of another object, whether it is kept. The scanners'
 * own names are beside each, so that a finding of theirs leads here.
 */

export interface PodRule {
  readonly id: string
  readonly asks: string
  /** How checkov, kube-linter, kube-score, kubesec and polaris call it. */
  readonly names: readonly string[]
  kept(pod: HeldPod, beside: readonly Resource[]): boolean
}

export interface ObjectRule {
  readonly id: string
  readonly asks: string
  readonly names: readonly string[]
  kept(resource: Resource): boolean
}

/** From here on a user is nobody's on a node. */
const HIGH = 10_000

const all = (pod: HeldPod, kept: (container: HeldContainer) => boolean): boolean =>
  [...pod.initContainers, ...pod.containers].every(kept)
/** A container's own word, or the pod's. */
const said = <K extends keyof Security>(pod: HeldPod, container: HeldContainer, what: K): Security[K] | undefined =>
  container.securityContext?.[what] ?? pod.spec.securityContext?.[what]
const everywhere = (
  id: string,
  asks: string,
  names: readonly string[],
  kept: (container: HeldContainer, pod: HeldPod) => boolean,
): PodRule => ({ id, asks, names, kept: (pod) => all(pod, (container) => kept(container, pod)) })
const rule = (id: string, asks: string, names: readonly string[], kept: PodRule['kept']): PodRule => ({
  ...{ id, asks, names, kept },
})

const isHigh = (id: number | undefined): boolean => id !== undefined && id >= HIGH
const amount = (container: HeldContainer, of: 'requests' | 'limits', what: string): boolean =>
  container.resources?.[of]?.[what] !== undefined

/** Of a name, `host/path:tag@digest`. */
const tagOf = (image: string): string | undefined => /:([^/:@]+)(?:@|$)/.exec(image)?.[1]
const isPinned = (image: string): boolean => /\d/.test(tagOf(image) ?? '') || image.includes('@sha256:')

function walledBothWays(pod: HeldPod, beside: readonly Resource[]): boolean {
  const ways = beside.flatMap(({ kind, namespace, object }) => {
    if (kind !== 'NetworkPolicy' || namespace !== pod.namespace) return []
    const { podSelector = {}, policyTypes = [] } = (object as NetworkPolicy).spec
    return selectorMatches(podSelector, pod.labels) ? policyTypes : []
  })
  return ways.includes('Ingress') && ways.includes('Egress')
}

function hasBudget(pod: HeldPod, beside: readonly Resource[]): boolean {
  return beside.some(({ kind, namespace, object }) => {
    if (kind !== 'PodDisruptionBudget' || namespace !== pod.namespace) return false
    const { spec } = object as typeof object & { readonly spec: { readonly selector: LabelSelector } }
    return selectorMatches(spec.selector, pod.labels)
  })
}

const isNeverTwo = ({ kind }: HeldPod): boolean => kind === 'DaemonSet' || kind === 'Pod'

export const podRules: readonly PodRule[] = [
  everywhere(
    'not-root',
    'runAsNonRoot',
    ['CKV_K8S_23', 'run-as-non-root', 'runAsRootAllowed'],
    (c, pod) => said(pod, c, 'runAsNonRoot') === true && said(pod, c, 'runAsUser') !== 0,
  ),
  everywhere(
    'high-user',
    'a user and a group above 10000',
    ['CKV_K8S_40', 'RunAsUser', 'RunAsGroup'],
    (c, pod) => isHigh(said(pod, c, 'runAsUser')) && isHigh(said(pod, c, 'runAsGroup')),
  ),
  everywhere(
    'read-only-root',
    'readOnlyRootFilesystem',
    ['CKV_K8S_22', 'no-read-only-root-fs'],
    (c) => c.securityContext?.readOnlyRootFilesystem === true,
  ),
  everywhere(
    'no-capabilities',
    'all capabilities dropped, none added',
    ['CKV_K8S_37', 'drop-net-raw-capability'],
    (c) => {
      const { drop = [], add = [] } = c.securityContext?.capabilities ?? {}
      return drop.includes('ALL') && add.length === 0
    },
  ),
  everywhere(
    'no-escalation',
    'allowPrivilegeEscalation: false',
    ['CKV_K8S_20', 'privilege-escalation-container'],
    (c) => c.securityContext?.allowPrivilegeEscalation === false,
  ),
  everywhere(
    'not-privileged',
    'not privileged, /proc masked',
    ['CKV_K8S_16', 'privileged-container'],
    (c) => c.securityContext?.privileged !== true && (c.securityContext?.procMount ?? 'Default') === 'Default',
  ),
  everywhere(
    'seccomp',
    'seccompProfile RuntimeDefault',
    ['CKV_K8S_31', 'SeccompAny'],
    (c, pod) => said(pod, c, 'seccompProfile')?.type === 'RuntimeDefault',
  ),
  everywhere(
    'app-armor',
    'an AppArmor profile by name',
    ['ApparmorAny'],
    (c, pod) => said(pod, c, 'appArmorProfile') !== undefined,
  ),
  everywhere(
    'requests',
    'requests of CPU and memory',
    ['CKV_K8S_10', 'CKV_K8S_12', 'unset-cpu-requirements'],
    (c) => amount(c, 'requests', 'cpu') && amount(c, 'requests', 'memory'),
  ),
  everywhere('memory-limit', 'a limit of memory', ['CKV_K8S_13', 'unset-memory-requirements'], (c) =>
    amount(c, 'limits', 'memory'),
  ),
  everywhere('cpu-limit', 'a limit of CPU', ['CKV_K8S_11', 'LimitsCPU', 'cpuLimitsMissing'], (c) =>
    amount(c, 'limits', 'cpu'),
  ),
  everywhere(
    'disk-limit',
    'request and limit of ephemeral-storage',
    ['container-ephemeral-storage-request-and-limit'],
    (c) => amount(c, 'requests', 'ephemeral-storage') && amount(c, 'limits', 'ephemeral-storage'),
  ),
  rule('empty-dir-size', 'a sizeLimit for each emptyDir', ['emptydir-size'], ({ spec }) =>
    (spec.volumes ?? []).every(
      ({ emptyDir }) => typeof emptyDir !== 'object' || emptyDir === null || 'sizeLimit' in emptyDir,
    ),
  ),
  rule('liveness', 'a liveness probe', ['CKV_K8S_8', 'no-liveness-probe'], ({ containers }) =>
    containers.every(({ livenessProbe }) => livenessProbe !== undefined),
  ),
  rule('readiness', 'a readiness probe', ['CKV_K8S_9', 'no-readiness-probe'], ({ containers }) =>
    containers.every(({ readinessProbe }) => readinessProbe !== undefined),
  ),
  rule('probes-differ', 'readiness and liveness ask for different things', ['pod-probes-identical'], ({ containers }) =>
    containers.every(
      ({ livenessProbe: live, readinessProbe: ready }) =>
        live === undefined ||
        JSON.stringify([live.httpGet, live.tcpSocket]) !== JSON.stringify([ready?.httpGet, ready?.tcpSocket]),
    ),
  ),
  everywhere('tag', "an image's tag that says a version", ['CKV_K8S_14', 'latest-tag'], ({ image }) => isPinned(image)),
  everywhere('digest', 'an image by its digest', ['CKV_K8S_43'], ({ image }) => image.includes('@sha256:')),
  everywhere(
    'pull-always',
    'imagePullPolicy: Always',
    ['CKV_K8S_15', 'pullPolicyNotAlways'],
    ({ imagePullPolicy }) => imagePullPolicy === 'Always',
  ),
  rule(
    'namespace',
    'a namespace of its own',
    ['CKV_K8S_21', 'use-namespace'],
    ({ namespace }) => namespace !== 'default',
  ),
  rule(
    'account',
    'a ServiceAccount other than default',
    ['CKV_K8S_41', 'default-service-account'],
    ({ spec }) => (spec.serviceAccountName ?? 'default') !== 'default',
  ),
  rule(
    'no-token',
    'no token of the API server',
    ['CKV_K8S_38', 'automountServiceAccountToken'],
    ({ spec }) =>
      spec.automountServiceAccountToken === false &&
      // One for another audience is for whom it names.
      (spec.volumes ?? []).every((volume) => {
        const text = JSON.stringify(volume)
        return !text.includes('"serviceAccountToken"') || text.includes('"audience"')
      }),
  ),
  rule(
    'host-namespaces',
    "none of the node's network, processes, IPC",
    ['CKV_K8S_17', 'host-network', 'hostPIDSet'],
    ({ spec }) => spec.hostNetwork !== true && spec.hostPID !== true && spec.hostIPC !== true,
  ),
  rule('user-namespace', 'hostUsers: false', ['HostUsers'], ({ spec }) => spec.hostUsers === false),
  rule('host-path', "no folder of the node's", ['ProcMount', 'hostPathSet', 'sensitive-host-mounts'], ({ spec }) =>
    (spec.volumes ?? []).every(({ hostPath }) => hostPath === undefined),
  ),
  everywhere('host-port', "no port of the node's", ['CKV_K8S_26', 'hostPortSet'], ({ ports = [] }) =>
    ports.every((port) => !('hostPort' in port)),
  ),
  rule('sysctls', 'no sysctls', ['unsafe-sysctls'], ({ spec }) => (spec.securityContext?.sysctls ?? []).length === 0),
  everywhere(
    'secrets-in-files',
    'no Secret in the environment',
    ['CKV_K8S_35', 'read-secret-from-env-var'],
    ({ env = [], envFrom = [] }) =>
      env.every(({ valueFrom }) => valueFrom?.secretKeyRef === undefined) &&
      envFrom.every(({ secretRef }) => secretRef === undefined),
  ),
  rule('network-policy', 'a NetworkPolicy each way', ['CKV2_K8S_6', 'missingNetworkPolicy'], walledBothWays),
  rule(
    'budget',
    'a PodDisruptionBudget',
    ['missingPodDisruptionBudget'],
    (pod, beside) => isNeverTwo(pod) || hasBudget(pod, beside),
  ),
  rule(
    'replicas',
    'two replicas',
    ['minimum-three-replicas', 'deploymentMissingReplicas'],
    (pod) => isNeverTwo(pod) || pod.replicas >= 2,
  ),
  rule(
    'spread',
    'a spread over nodes',
    ['no-anti-affinity', 'topologySpreadConstraint'],
    (pod) =>
      isNeverTwo(pod) ||
      (pod.spec.topologySpreadConstraints ?? []).length > 0 ||
      pod.spec.affinity?.podAntiAffinity !== undefined,
  ),
]

interface ServiceSpec {
  readonly type?: string
  readonly externalIPs?: readonly string[]
}
interface Rules {
  readonly rules?: readonly {
    readonly verbs?: readonly string[]
    readonly resources?: readonly string[]
    readonly apiGroups?: readonly string[]
  }[]
}
const isRole = ({ kind }: Resource): boolean => kind === 'Role' || kind === 'ClusterRole'
const rulesOf = ({ object }: Resource): NonNullable<Rules['rules']> => (object as typeof object & Rules).rules ?? []
const specOf = ({ object }: Resource): ServiceSpec =>
  (object as typeof object & { readonly spec?: ServiceSpec }).spec ?? {}

export const objectRules: readonly ObjectRule[] = [
  {
    id: 'service-inside',
    asks: 'no NodePort, LoadBalancer or external address',
    names: ['exposed-services', 'service-type'],
    kept: (one) =>
      one.kind !== 'Service' || ((specOf(one).type ?? 'ClusterIP') === 'ClusterIP' && !specOf(one).externalIPs?.length),
  },
  {
    id: 'no-wildcards',
    asks: 'no * in a role',
    names: ['CKV_K8S_49', 'wildcard-in-rules'],
    kept: (one) =>
      !isRole(one) ||
      rulesOf(one).every((each) => ![each.verbs, each.resources, each.apiGroups].some((some) => some?.includes('*'))),
  },
  {
    id: 'no-secrets',
    asks: 'no right to Secrets, to start pods or to run programs in them',
    names: ['access-to-secrets', 'access-to-create-pods'],
    kept: (one) =>
      !isRole(one) ||
      rulesOf(one).every(
        ({ resources = [], verbs = [] }) =>
          !resources.includes('secrets') &&
          !resources.some((what) => /^pods\/(exec|attach|portforward|ephemeralcontainers)$/.test(what)) &&
          !(resources.includes('pods') && verbs.includes('create')),
      ),
  },
  {
    id: 'no-admin',
    asks: 'nobody is cluster-admin',
    names: ['cluster-admin-role-binding'],
    kept: ({ kind, object }) =>
      !kind.endsWith('RoleBinding') || (object as RoleBinding).roleRef.name !== 'cluster-admin',
  },
  {
    id: 'account-without-token',
    asks: 'automountServiceAccountToken: false at the account, too',
    names: ['automountServiceAccountToken'],
    kept: ({ kind, object }) =>
      kind !== 'ServiceAccount' ||
      (object as typeof object & { readonly automountServiceAccountToken?: boolean }).automountServiceAccountToken ===
        false,
  },
]
