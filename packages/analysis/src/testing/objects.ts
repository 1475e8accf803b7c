import { type KubernetesObject, parseManifests } from '@bulkhead/resources'
import { compile, type Snapshot } from '@bulkhead/verdict'

/*
 * Test code: manifests from plain objects, read by the real reader, so that every field has a place.
 */

export type Manifest = KubernetesObject & Readonly<Record<string, unknown>>
type Labels = Readonly<Record<string, string>>

export interface SnapshotOptions {
  readonly previous?: Snapshot
  readonly file?: string
  /** The folder under layers/ that an object is in. */
  readonly layerOf?: (object: KubernetesObject) => string | undefined
}

/** @throws for objects that the reader refuses: a test with a mistake in it. */
export function snapshotOf(objects: readonly Manifest[], options: SnapshotOptions = {}): Snapshot {
  const { previous, file = 'test.yaml', layerOf = () => undefined } = options
  // Each at its own lines, one field a line.
  const text = objects.map((object) => JSON.stringify(object, null, 1)).join('\n---\n')
  const { resources, diagnostics } = parseManifests(text, file)
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw new Error(`${errors.map(({ message }) => message).join('\n')}\n${text}`)
  const placed = resources.map((resource) => {
    const layer = layerOf(resource.object)
    return layer === undefined ? resource : { ...resource, layer }
  })
  return compile(placed, previous === undefined ? {} : { previous })
}

export function namespace(name: string, mesh = true): Manifest {
  const labels = mesh ? { 'istio.io/dataplane-mode': 'ambient' } : {}
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }
}

export interface WorkloadOptions {
  readonly labels?: Labels
  readonly replicas?: number
  readonly serviceAccount?: string
  readonly ports?: readonly { readonly containerPort: number; readonly name?: string; readonly protocol?: string }[]
}

/** `ns/name`: a Deployment whose pods carry `app: name` and run as the ServiceAccount `name`. */
export function workload(key: string, options: WorkloadOptions = {}): Manifest {
  const [ns = '', name = ''] = key.split('/')
  const labels = { app: name, ...options.labels }
  const { replicas, serviceAccount = name, ports } = options
  const container = { name: 'main', image: 'image', ...(ports !== undefined && { ports }) }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: ns },
    spec: {
      ...(replicas !== undefined && { replicas }),
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels }, spec: { serviceAccountName: serviceAccount, containers: [container] } },
    },
  }
}

export interface ServiceOptions {
  readonly selector?: Labels
  readonly ports?: readonly {
    readonly name?: string
    readonly port: number
    readonly targetPort?: number | string
    readonly protocol?: string
  }[]
  readonly headless?: boolean
  readonly type?: string
}

/** `ns/name`: a Service in front of `app: name`, 80 to 8080. */
export function service(key: string, options: ServiceOptions = {}): Manifest {
  const [ns = '', name = ''] = key.split('/')
  const { selector = { app: name }, ports = [{ port: 80, targetPort: 8080 }], headless, type } = options
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: ns },
    spec: {
      ...(headless === true && { clusterIP: 'None' }),
      ...(type !== undefined && { type }),
      selector,
      ports,
    },
  }
}

export function authorizationPolicy(key: string, spec: object): Manifest {
  const [ns = '', name = ''] = key.split('/')
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace: ns },
    spec,
  }
}

/** Lets these ServiceAccounts of the namespace call pods with `app`. */
export function allow(key: string, app: string, callers: readonly string[], ports?: readonly string[]): Manifest {
  const [ns = ''] = key.split('/')
  const principals = callers.map((caller) => `cluster.local/ns/${ns}/sa/${caller}`)
  const to = ports === undefined ? {} : { to: [{ operation: { ports } }] }
  return authorizationPolicy(key, {
    selector: { matchLabels: { app } },
    rules: callers.length === 0 ? [] : [{ from: [{ source: { principals } }], ...to }],
  })
}

export function peerAuthentication(key: string, mode: string): Manifest {
  const [ns = '', name = ''] = key.split('/')
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name, namespace: ns },
    spec: { mtls: { mode } },
  }
}

/** `ns/name`: a NetworkPolicy. */
export function networkPolicy(key: string, spec: object): Manifest {
  const [ns = '', name = ''] = key.split('/')
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace: ns }, spec }
}

/** `ns/name`: a CiliumNetworkPolicy. */
export function ciliumPolicy(key: string, spec: object): Manifest {
  const [ns = '', name = ''] = key.split('/')
  return { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { name, namespace: ns }, spec }
}
