import type { Gateway, KubernetesObject, Resource, Service, Workload } from '@bulkhead/resources'
import { CompileError } from '../compile-error.js'
import { namespaceOf, rawField } from '../kinds.js'
import type { ProxyKind } from './classes.js'
import { merged, type Overlays } from './overlay.js'

type Labels = Readonly<Record<string, string>>

/** What istiod makes of one Gateway. */
export interface Generated {
  readonly kind: ProxyKind
  readonly gateway: Resource<Gateway>
  /** `namespace/name` of the Gateway. */
  readonly key: string
  /** `namespace/name` of the Deployment and the Service. */
  readonly workload: string
  readonly deployment: Resource<Workload>
  readonly service: Resource<Service>
  /** Ports that the proxy listens on: every listener's. The template does not say them, so they do not rename pods. */
  readonly ports: readonly number[]
}

export const gatewayNameLabel = 'gateway.networking.k8s.io/gateway-name'
const dataplaneMode = 'istio.io/dataplane-mode'
const nameOverride = 'gateway.istio.io/name-override'
const accountOverride = 'gateway.istio.io/service-account'
const serviceType = 'networking.istio.io/service-type'
/** Not handed on to what is generated. */
const keptBack = [
  nameOverride,
  accountOverride,
  'gateway.istio.io/controller-version',
  'kubectl.kubernetes.io/last-applied-configuration',
]

/** Of the proxy itself: readiness, metrics, statistics. The Service carries the first one only. */
export const statusPort = 15021
const ownPorts = [
  { containerPort: 15020, name: 'metrics', protocol: 'TCP' },
  { containerPort: statusPort, name: 'status-port', protocol: 'TCP' },
  { containerPort: 15090, name: 'http-envoy-prom', protocol: 'TCP' },
] as const

/** What istiod's two templates do differently. */
const templates: Readonly<Record<ProxyKind, { readonly managed: string; readonly serviceType: string }>> = {
  gateway: { managed: 'istio.io-gateway-controller', serviceType: 'LoadBalancer' },
  waypoint: { managed: 'istio.io-mesh-controller', serviceType: 'ClusterIP' },
}

/**
 * The Deployment and the Service of a Gateway, as istiod's templates have them (C.7, F.3): both are called
 * `<name>-<class>`, and so is the ServiceAccount; all of a waypoint's are called as the Gateway. Annotations may say
 * otherwise. Their lines are the Gateway's.
 */
export function generate(gateway: Resource<Gateway>, kind: ProxyKind, overlays: Overlays): Generated {
  const { metadata, spec } = gateway.object
  const namespace = namespaceOf(gateway)
  const usual = kind === 'waypoint' ? gateway.name : `${gateway.name}-${spec.gatewayClassName}`
  const template = templates[kind]
  const name = metadata.annotations?.[nameOverride] || usual
  const account = metadata.annotations?.[accountOverride] || usual
  const labels = labelsOf(gateway)
  const own = {
    [gatewayNameLabel]: gateway.name,
    'gateway.networking.k8s.io/gateway-class-name': spec.gatewayClassName,
    'gateway.istio.io/managed': template.managed,
  }
  const annotations = annotationsOf(gateway)
  const selector = { [gatewayNameLabel]: gateway.name }
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels: { ...labels, ...own }, annotations },
    spec: {
      selector: { matchLabels: selector },
      template: {
        metadata: {
          labels: {
            'sidecar.istio.io/inject': 'false',
            'service.istio.io/canonical-name': name,
            'service.istio.io/canonical-revision': 'latest',
            ...labels,
            ...own,
          },
          annotations: { ...annotations, 'istio.io/rev': 'default' },
        },
        spec: { serviceAccountName: account, containers: [{ name: 'istio-proxy', image: 'auto', ports: ownPorts }] },
      },
    },
  }
  const ports = [...new Set(spec.listeners.map(({ port }) => port))]
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels: { ...labels, ...own }, annotations },
    spec: {
      type: metadata.annotations?.[serviceType] || template.serviceType,
      selector,
      ports: [
        { name: 'status-port', port: statusPort, protocol: 'TCP' },
        ...ports.map((port) => ({ name: listenerAt(gateway, port), port, protocol: 'TCP' })),
      ],
    },
  }
  return {
    kind,
    gateway,
    key: `${namespace}/${gateway.name}`,
    workload: `${namespace}/${name}`,
    deployment: made<Workload>(gateway, merged(deployment, overlays.deployment)),
    service: checked(made<Service>(gateway, merged(service, overlays.service)), overlays),
    ports,
  }
}

/** The first listener on a port gives the Service's port its name. */
function listenerAt({ object }: Resource<Gateway>, port: number): string {
  return object.spec.listeners.find((listener) => listener.port === port)?.name ?? String(port)
}

/**
 * `spec.infrastructure.labels`, or the Gateway's own where it has none. Without a word on it, the pods are not captured:
 * a gateway speaks HBONE itself (C.1).
 */
function labelsOf({ object }: Resource<Gateway>): Labels {
  const own = object.metadata.labels ?? {}
  const labels = handedOn(object.spec.infrastructure?.labels, own)
  const says = own[dataplaneMode] !== undefined || labels[dataplaneMode] !== undefined
  return says ? labels : { ...labels, [dataplaneMode]: 'none' }
}

function annotationsOf({ object }: Resource<Gateway>): Labels {
  const annotations = handedOn(object.spec.infrastructure?.annotations, object.metadata.annotations ?? {})
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => !keptBack.includes(name)))
}

function handedOn(infrastructure: Labels | undefined, own: Labels): Labels {
  if (infrastructure === undefined) return own
  // Gateway API's own names are not to be set that way.
  return Object.fromEntries(
    Object.entries(infrastructure).filter(([name]) => !name.startsWith('gateway.networking.k8s.io/')),
  )
}

function made<T extends KubernetesObject>(gateway: Resource<Gateway>, value: unknown): Resource<T> {
  const object = value as T
  const { kind, metadata } = object
  return {
    id: `${kind}/${metadata.namespace}/${metadata.name}`,
    kind,
    name: metadata.name,
    ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
    object,
    ...(gateway.layer !== undefined && { layer: gateway.layer }),
    position: () => gateway.position([]),
  }
}

/** What the API server would refuse of the Service, said where it was written. */
function checked(service: Resource<Service>, { source }: Overlays): Resource<Service> {
  const { spec } = service.object
  const refuse = (what: string): never => {
    throw source === undefined
      ? new CompileError(service, [], what)
      : new CompileError(source, ['data', 'service'], what)
  }
  const type = rawField(spec, 'type')
  if (!['ClusterIP', 'NodePort', 'LoadBalancer'].includes(String(type))) {
    refuse(`${JSON.stringify(type)} is no type of a gateway's Service (ClusterIP, NodePort, LoadBalancer)`)
  }
  for (const port of spec.ports ?? []) {
    const numbers = { port: port.port, nodePort: rawField(port, 'nodePort') ?? 30000 }
    for (const [name, value] of Object.entries(numbers)) {
      if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65535) continue
      refuse(
        `a ${name} of the gateway's Service is ${JSON.stringify(value)}; it must be a whole number from 1 to 65535`,
      )
    }
  }
  return service
}
