import { apiGroup } from '../group.js'
import type { LabelSelector, PodSpec } from '../kinds.js'
import { isObject } from '../plain.js'
import { selectorMatches } from '../selectors.js'
import type { Diagnostic, FieldPath, Resource } from '../types.js'

/** Pods that will be: a Pod, or the template of what makes them. */
export interface PodTemplateOf {
  readonly resource: Resource
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly spec: PodSpec
  readonly specPath: FieldPath
}

/** Istio's root namespace: policies in it are the whole mesh's. */
export const ROOT_NAMESPACE = 'istio-system'

/** There on every cluster (and Istio's, Kyverno's and Argo CD's own, wherever they are), so never missing from manifests. */
const ALWAYS_THERE = new Set([
  ...['default', 'kube-system', 'kube-public', 'kube-node-lease', ROOT_NAMESPACE],
  ...['kyverno', 'argocd'],
])

/** What is asked of a set of resources again and again. */
export class Cluster {
  readonly resources: readonly Resource[]
  readonly pods: readonly PodTemplateOf[]
  readonly #byId = new Map<string, Resource>()
  readonly #hasNamespaces: boolean

  constructor(resources: readonly Resource[]) {
    this.resources = resources
    this.pods = resources.flatMap(podsOf)
    for (const resource of resources) this.#byId.set(`${apiGroup(resource.object.apiVersion)} ${resource.id}`, resource)
    this.#hasNamespaces = resources.some(({ kind, object }) => kind === 'Namespace' && object.apiVersion === 'v1')
  }

  get(group: string, kind: string, namespace: string | undefined, name: string): Resource | undefined {
    return this.#byId.get(`${group} ${[kind, ...(namespace === undefined ? [] : [namespace]), name].join('/')}`)
  }

  /** Of a kind, in a namespace: what a name that is not there may have meant. */
  namesOf(group: string, kind: string, namespace?: string): string[] {
    return this.resources
      .filter((one) => one.kind === kind && one.namespace === namespace && apiGroup(one.object.apiVersion) === group)
      .map(({ name }) => name)
  }

  /** A gateway or waypoint that istiod makes pods for: Istio's own kind of that name only configures pods that are there. */
  hasGateway(namespace: string, name: string): boolean {
    return this.get('gateway.networking.k8s.io', 'Gateway', namespace, name) !== undefined
  }

  /** Without a single Namespace in the set they are made elsewhere, and nothing can be said. */
  lacksNamespace(name: string): boolean {
    return this.#hasNamespaces && !ALWAYS_THERE.has(name) && this.get('', 'Namespace', undefined, name) === undefined
  }

  /** `default` comes with its namespace; a gateway's and a waypoint's account are made by istiod, with the Gateway. */
  hasServiceAccount(namespace: string, name: string): boolean {
    return (
      name === 'default' ||
      this.get('', 'ServiceAccount', namespace, name) !== undefined ||
      this.hasGateway(namespace, name) ||
      (name.endsWith('-istio') && this.hasGateway(namespace, name.slice(0, -'-istio'.length)))
    )
  }

  /** With the one that the API server gives to each. */
  namespaceLabels(name: string): Readonly<Record<string, string>> {
    const { labels = {} } = this.get('', 'Namespace', undefined, name)?.object.metadata ?? {}
    return { ...labels, 'kubernetes.io/metadata.name': name }
  }

  /** In that namespace; in all, without one. */
  podsSelected(selector: LabelSelector, namespace: string | undefined): PodTemplateOf[] {
    return this.pods.filter(
      (pod) => (namespace === undefined || pod.namespace === namespace) && selectorMatches(selector, pod.labels),
    )
  }
}

function podsOf(resource: Resource): PodTemplateOf[] {
  const spec = (resource.object as { spec?: unknown }).spec
  if (!isObject(spec) || resource.namespace === undefined) return []
  const found = (template: unknown, path: FieldPath): PodTemplateOf[] => {
    if (!isObject(template) || !isObject(template.spec)) return []
    const metadata = isObject(template.metadata) ? template.metadata : {}
    const labels = isObject(metadata.labels) ? (metadata.labels as Readonly<Record<string, string>>) : {}
    // Held against its schema when it was read.
    const podSpec = template.spec as unknown as PodSpec
    return [
      { resource, namespace: resource.namespace ?? 'default', labels, spec: podSpec, specPath: [...path, 'spec'] },
    ]
  }
  // With the version: a custom resource may be named Job too, and nobody has looked into it.
  switch (`${resource.object.apiVersion} ${resource.kind}`) {
    case 'v1 Pod':
      return found(resource.object, [])
    case 'apps/v1 Deployment':
    case 'apps/v1 StatefulSet':
    case 'apps/v1 DaemonSet':
    case 'apps/v1 ReplicaSet':
    case 'batch/v1 Job':
      return found(spec.template, ['spec', 'template'])
    case 'batch/v1 CronJob': {
      const job = isObject(spec.jobTemplate) && isObject(spec.jobTemplate.spec) ? spec.jobTemplate.spec : {}
      return found(job.template, ['spec', 'jobTemplate', 'spec', 'template'])
    }
    default:
      return []
  }
}

/** A warning at a field of a resource. */
export function warning(resource: Resource, code: string, path: FieldPath, message: string): Diagnostic {
  return { severity: 'warning', code, message: `${resource.id}: ${message}`, at: resource.position(path) }
}
