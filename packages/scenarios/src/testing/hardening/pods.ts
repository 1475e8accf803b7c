import { join } from 'node:path'
import {
  type Container,
  type LabelSelector,
  loadManifests,
  type Pod,
  type PodSpec,
  type Resource,
  type Workload,
} from '@bulkhead/resources'
import { gatewayObjects } from '@bulkhead/verdict'
import { root } from '../in-force.js'
import { resources } from '../repository.js'

/* Every pod template that this repository ships, makes or has made: what scanners of manifests would be shown. */

/** What scanners ask of a pod beside what the engine's types hold. */
export interface Security {
  readonly runAsNonRoot?: boolean
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly privileged?: boolean
  readonly readOnlyRootFilesystem?: boolean
  readonly allowPrivilegeEscalation?: boolean
  readonly procMount?: string
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] }
  readonly seccompProfile?: { readonly type?: string }
  readonly appArmorProfile?: { readonly type?: string }
  readonly sysctls?: readonly unknown[]
}
type Amounts = Readonly<Record<string, string>>
export type HeldContainer = Container & {
  readonly securityContext?: Security
  readonly imagePullPolicy?: string
  readonly resources?: { readonly requests?: Amounts; readonly limits?: Amounts }
}
export type HeldSpec = PodSpec & {
  readonly securityContext?: Security
  readonly hostPID?: boolean
  readonly hostIPC?: boolean
  readonly hostUsers?: boolean
  readonly enableServiceLinks?: boolean
  readonly affinity?: { readonly podAntiAffinity?: unknown }
  readonly topologySpreadConstraints?: readonly { readonly labelSelector?: LabelSelector }[]
}

export interface HeldPod {
  /** `Deployment/shop/web-api` */
  readonly id: string
  readonly kind: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly spec: HeldSpec
  readonly containers: readonly HeldContainer[]
  readonly initContainers: readonly HeldContainer[]
  readonly replicas: number
  /** Who wrote it: a file of `k8s/`, istiod of a Gateway, or manifest-gen. */
  readonly by: 'us' | 'istiod' | 'manifest-gen'
}

const withTemplate = ['Deployment', 'StatefulSet', 'DaemonSet']

export function podOf(resource: Resource, by: HeldPod['by'] = 'us'): HeldPod | undefined {
  const { kind, id, namespace = 'default', object } = resource
  const of = (spec: HeldSpec, labels: HeldPod['labels'] = {}, replicas = 1): HeldPod => ({
    ...{ id, kind, namespace, labels, spec, replicas, by },
    containers: spec.containers,
    initContainers: spec.initContainers ?? [],
  })
  if (kind === 'Pod') return of((object as Pod).spec, object.metadata.labels)
  if (!withTemplate.includes(kind)) return undefined
  const { template, replicas } = (object as Workload).spec
  return of(template.spec, template.metadata?.labels, replicas)
}

const load = async (path: string): Promise<readonly Resource[]> =>
  (await loadManifests([join(root, path)], { relativeTo: root })).resources

/** What `manifest-gen` wrote for the lab: the same as for anybody who asks it for as much. */
const generated = await load('docs/labs/07-a-new-workload/worker-app.yaml')
const canary = await load('k8s/platform/canary')

const proxies = gatewayObjects(resources)

/** All objects beside which a pod is judged: policies, budgets, roles and Services. */
export const shipped: readonly Resource[] = [...resources, ...canary, ...proxies, ...generated]

export const pods: readonly HeldPod[] = [
  ...[...resources, ...canary].flatMap((one) => podOf(one) ?? []),
  ...proxies.flatMap((one) => podOf(one, 'istiod') ?? []),
  ...generated.flatMap((one) => podOf(one, 'manifest-gen') ?? []),
]
