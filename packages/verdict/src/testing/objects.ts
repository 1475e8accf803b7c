import type {
  AuthorizationPolicy,
  CiliumRule,
  Gateway,
  HttpRoute,
  KubernetesObject,
  NetworkPolicy,
  PeerAuthentication,
  Resource,
} from '@bulkhead/resources'

/*
 * Test code: Resources from plain objects, without files. A field's line is its place in the object's own order, so
 * that every field has one.
 */

export interface MakeOptions {
  readonly file?: string
  readonly layer?: string
}

type Labels = Readonly<Record<string, string>>

export function resource<T extends KubernetesObject>(object: T, options: MakeOptions = {}): Resource<T> {
  const { kind, metadata } = object
  const { namespace, name } = metadata
  const lines = new Map<string, number>()
  const number = (value: unknown, path: string): void => {
    lines.set(path, lines.size + 1)
    if (typeof value !== 'object' || value === null) return
    for (const [key, entry] of Object.entries(value)) number(entry, `${path}/${key}`)
  }
  number(object, '')
  return {
    id: namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`,
    kind,
    name,
    ...(namespace !== undefined && { namespace }),
    object,
    ...(options.layer !== undefined && { layer: options.layer }),
    position: (path) => {
      for (let length = path.length; length >= 0; length--) {
        const line = lines.get(['', ...path.slice(0, length)].join('/'))
        if (line !== undefined) return { file: options.file ?? `${name}.yaml`, line, column: 1 }
      }
      return { file: options.file ?? `${name}.yaml`, line: 1, column: 1 }
    },
  }
}

export function namespace(name: string, labels: Labels = {}): Resource {
  return resource({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
}

/** A namespace whose pods are captured. */
export function ambient(name: string): Resource {
  return namespace(name, { 'istio.io/dataplane-mode': 'ambient' })
}

export interface WorkloadOptions {
  readonly kind?: 'Deployment' | 'StatefulSet' | 'DaemonSet'
  readonly labels?: Labels
  readonly serviceAccount?: string
  readonly replicas?: number
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number; readonly protocol?: string }[]
  readonly hostNetwork?: boolean
  readonly annotations?: Labels
}

/** `ns/name`: a Deployment whose pods carry `app: name` and run as the ServiceAccount `name`. */
export function workload(key: string, options: WorkloadOptions = {}): Resource {
  const [ns = '', name = ''] = key.split('/')
  const labels = options.labels ?? { app: name }
  const spec = {
    ...(options.replicas !== undefined && { replicas: options.replicas }),
    selector: { matchLabels: labels },
    template: {
      metadata: { labels, ...(options.annotations && { annotations: options.annotations }) },
      spec: {
        serviceAccountName: options.serviceAccount ?? name,
        ...(options.hostNetwork !== undefined && { hostNetwork: options.hostNetwork }),
        containers: [{ name: 'main', image: 'image', ...(options.ports && { ports: options.ports }) }],
      },
    },
  }
  const object = {
    apiVersion: 'apps/v1',
    kind: options.kind ?? 'Deployment',
    metadata: { name, namespace: ns },
    spec,
  }
  return resource(object)
}

export interface ServiceOptions {
  readonly selector?: Labels
  readonly port?: number
  readonly targetPort?: number | string
  readonly headless?: boolean
  readonly type?: string
  readonly labels?: Labels
}

/** `ns/name`: a Service in front of `app: name`. */
export function service(key: string, options: ServiceOptions = {}): Resource {
  const [ns = '', name = ''] = key.split('/')
  const { port = 80, targetPort } = options
  const object = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: ns, ...(options.labels && { labels: options.labels }) },
    spec: {
      ...(options.type !== undefined && { type: options.type }),
      ...(options.headless === true && { clusterIP: 'None' }),
      selector: options.selector ?? { app: name },
      ports: [{ name: 'main', port, ...(targetPort !== undefined && { targetPort }) }],
    },
  }
  return resource(object)
}

export function peerAuthentication(
  key: string,
  spec: PeerAuthentication['spec'],
  options: MakeOptions & { readonly created?: string } = {},
): Resource {
  const [ns = '', name = ''] = key.split('/')
  const object = {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name, namespace: ns, ...(options.created !== undefined && { creationTimestamp: options.created }) },
    ...(spec !== undefined && { spec }),
  }
  return resource(object, options)
}

export function authorizationPolicy(
  key: string,
  spec: AuthorizationPolicy['spec'],
  options: MakeOptions & { readonly annotations?: Labels } = {},
): Resource {
  const [ns = '', name = ''] = key.split('/')
  const object = {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace: ns, ...(options.annotations && { annotations: options.annotations }) },
    ...(spec !== undefined && { spec }),
  }
  return resource(object, options)
}

/** A waypoint. */
export function waypoint(key: string, labels: Labels = {}): Resource {
  const listeners = [{ name: 'mesh', port: 15008, protocol: 'HBONE' }]
  return gateway(key, { gatewayClassName: 'istio-waypoint', listeners }, { labels })
}

export interface GatewayOptions extends MakeOptions {
  readonly labels?: Labels
  readonly annotations?: Labels
}

/** `ns/name`: a Gateway of class `istio` with one HTTP listener on port 80, unless the spec says otherwise. */
export function gateway(key: string, spec: Partial<Gateway['spec']> = {}, options: GatewayOptions = {}): Resource {
  const [ns = '', name = ''] = key.split('/')
  const { labels, annotations } = options
  const object = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name, namespace: ns, ...(labels && { labels }), ...(annotations && { annotations }) },
    spec: { gatewayClassName: 'istio', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }], ...spec },
  }
  return resource(object, options)
}

/** An HTTPRoute of that Gateway (in the route's own namespace): every path to the Services, with their weights. */
export function httpRoute(
  key: string,
  parent: string,
  spec: Partial<HttpRoute['spec']>,
  options?: MakeOptions,
): Resource {
  const [ns = '', name = ''] = key.split('/')
  const object = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name, namespace: ns },
    spec: { parentRefs: [{ name: parent }], ...spec },
  }
  return resource(object, options)
}

/** `ns/name`: a NetworkPolicy. Unless the spec says otherwise: nothing gets in to any pod of the namespace. */
export function networkPolicy(key: string, spec: NetworkPolicy['spec'] = {}, options: MakeOptions = {}): Resource {
  const [ns = '', name = ''] = key.split('/')
  const object = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace: ns },
    spec: { podSelector: {}, ...spec },
  }
  return resource(object, options)
}

/** `ns/name`: a CiliumNetworkPolicy; a name alone: one of the whole cluster. For every pod, unless the spec says. */
export function ciliumPolicy(key: string, spec: CiliumRule = {}, options: MakeOptions = {}): Resource {
  const [ns, name] = key.includes('/') ? key.split('/') : [undefined, key]
  const everyPod = spec.nodeSelector === undefined ? { endpointSelector: {} } : {}
  const object = {
    apiVersion: 'cilium.io/v2',
    kind: ns === undefined ? 'CiliumClusterwideNetworkPolicy' : 'CiliumNetworkPolicy',
    metadata: { name: name ?? '', ...(ns !== undefined && { namespace: ns }) },
    spec: { ...everyPod, ...spec },
  }
  return resource(object, options)
}

/** A network policy of a kind that the engine does not read. */
export function unreadPolicy(name: string): Resource {
  return resource({
    apiVersion: 'policy.networking.k8s.io/v1alpha1',
    kind: 'AdminNetworkPolicy',
    metadata: { name },
  })
}
