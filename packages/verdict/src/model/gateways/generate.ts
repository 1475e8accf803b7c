import type { Gateway, KubernetesObject, Resource, Service, ServiceAccount, Workload } from '@bulkhead/resources'
import { madeResource } from '@bulkhead/resources/made'
import { PatchError, strategicMerge } from '../../admission/patch/index.js'
import { CompileError } from '../compile-error.js'
import { hash53 } from '../hash.js'
import { namespaceOf, rawField } from '../kinds.js'
import type { ProxyKind } from './classes.js'
import type { Overlay, OverlayKey } from './overlay.js'
import { proxyPodSpec, statusPort } from './proxy.js'
import { misshapen } from './shape.js'

type Labels = Readonly<Record<string, string>>

/** What istiod makes of one Gateway. */
export interface Generated {
  readonly kind: ProxyKind
  readonly gateway: Resource<Gateway>
  /** `namespace/name` of the Gateway. */
  readonly key: string
  /** `namespace/name` of the Deployment and the Service. */
  readonly workload: string
  readonly serviceAccount: Resource<ServiceAccount>
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

/** What istiod's two templates do differently. */
const templates: Readonly<
  Record<ProxyKind, { readonly managed: string; readonly serviceType: string; readonly serviceAnnotations: Labels }>
> = {
  gateway: { managed: 'istio.io-gateway-controller', serviceType: 'LoadBalancer', serviceAnnotations: {} },
  waypoint: {
    managed: 'istio.io-mesh-controller',
    serviceType: 'ClusterIP',
    serviceAnnotations: { 'networking.istio.io/traffic-distribution': 'PreferClose' },
  },
}

/** Which revision's istiod runs the pods, and where Prometheus finds their numbers. */
const scraped = {
  'istio.io/rev': 'default',
  'prometheus.io/path': '/stats/prometheus',
  'prometheus.io/port': '15020',
  'prometheus.io/scrape': 'true',
}

/**
 * The ServiceAccount, the Deployment and the Service of a Gateway, as istiod's templates have them (C.7, F.3): all are
 * called `<name>-<class>`, and those of a waypoint as the Gateway. Annotations may say otherwise. Their lines are the
 * Gateway's.
 */
export function generate(gateway: Resource<Gateway>, kind: ProxyKind, overlays: readonly Overlay[]): Generated {
  const { metadata, spec } = gateway.object
  const namespace = namespaceOf(gateway)
  const usual = kind === 'waypoint' ? gateway.name : `${gateway.name}-${spec.gatewayClassName}`
  const template = templates[kind]
  const name = metadata.annotations?.[nameOverride] || usual
  const account = metadata.annotations?.[accountOverride] || usual
  const { metadata: labels, pod: podLabels } = labelsOf(gateway, kind)
  const own = {
    [gatewayNameLabel]: gateway.name,
    'gateway.networking.k8s.io/gateway-class-name': spec.gatewayClassName,
    'gateway.istio.io/managed': template.managed,
  }
  const annotations = annotationsOf(gateway)
  const selector = { [gatewayNameLabel]: gateway.name }
  const ownerReferences = [
    { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', name: gateway.name, uid: uidOf(gateway) },
  ]
  const common = { namespace, labels: { ...labels, ...own }, annotations, ownerReferences }
  const serviceAccount = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...common, name: account } }
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...common, name },
    spec: {
      selector: { matchLabels: selector },
      template: {
        metadata: {
          labels: {
            'sidecar.istio.io/inject': 'false',
            'service.istio.io/canonical-name': name,
            'service.istio.io/canonical-revision': 'latest',
            ...podLabels,
            ...own,
          },
          annotations: { ...annotations, ...scraped },
        },
        spec: proxyPodSpec({ kind, namespace, name, account, annotations: metadata.annotations ?? {} }),
      },
    },
  }
  const type = metadata.annotations?.[serviceType] || template.serviceType
  const [address] = spec.addresses ?? []
  const ports = [...new Set(spec.listeners.map(({ port }) => port))]
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...common, name, annotations: { ...template.serviceAnnotations, ...annotations } },
    spec: {
      ipFamilyPolicy: 'PreferDualStack',
      ports: [
        { name: 'status-port', port: statusPort, protocol: 'TCP', appProtocol: 'tcp' },
        ...ports.map((port) => ({ ...listenerAt(gateway, port), port, protocol: 'TCP' })),
      ],
      selector,
      ...(address?.value !== undefined && type === 'LoadBalancer' && { loadBalancerIP: address.value }),
      type,
    },
  }
  const made = <T extends KubernetesObject>(object: object, key: OverlayKey): Resource<T> =>
    madeResource<T>(overlays.reduce((under, one) => laidOver(under, key, one), object) as T, gateway)
  return {
    kind,
    gateway,
    key: `${namespace}/${gateway.name}`,
    workload: `${namespace}/${name}`,
    serviceAccount: made<ServiceAccount>(serviceAccount, 'serviceAccount'),
    deployment: made<Workload>(deployment, 'deployment'),
    service: checked(made<Service>(service, 'service'), overlays),
    ports,
  }
}

/** What an overlay must leave as it is: istiod makes nothing of one that does not. */
const fixed = ['name', 'namespace', 'ownerReferences', 'finalizers', 'managedFields']

function laidOver(object: object, key: OverlayKey, { of, source }: Overlay): object {
  const overlay = of[key]
  const own = rawField(overlay, 'metadata')
  const refuse = (why: string): never => {
    const what = `the overlay ${JSON.stringify(key)} of a gateway ${why}, and istiod makes nothing then`
    throw new CompileError(source, ['data', key], what)
  }
  const changed = fixed.find((name) => {
    const wanted = rawField(own, name)
    return wanted !== undefined && wanted !== rawField(object, 'metadata', name)
  })
  if (changed !== undefined) refuse(`changes metadata.${changed}`)
  const laid = merge(object, overlay, refuse)
  const wrong = misshapen(String(rawField(object, 'kind')), laid)
  return typeof laid !== 'object' || laid === null || wrong !== undefined ? refuse(wrong ?? 'leaves nothing') : laid
}

function merge(object: object, overlay: unknown, refuse: (why: string) => never): unknown {
  try {
    return strategicMerge(object, overlay)
  } catch (error) {
    if (!(error instanceof PatchError)) throw error
    return refuse(`cannot be laid over: ${error.message}`)
  }
}

/** As a cluster's would be, but the same in every run. */
function uidOf({ id }: Resource): string {
  const digits = [hash53(id), hash53(`${id}/`)].map((number) => number.toString(16).padStart(16, '0')).join('')
  return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5')
}

/** The first listener on a port gives the Service's port its name and protocol. */
function listenerAt({ object }: Resource<Gateway>, port: number): { name: string; appProtocol: string } {
  const listener = object.spec.listeners.find((one) => one.port === port)
  const name = listener?.name.replaceAll('.', '-').slice(0, 63) ?? String(port)
  return { name, appProtocol: String(listener?.protocol).toLowerCase() }
}

/**
 * `spec.infrastructure.labels`, or the Gateway's own where it has none. Without a word on it, the pods are not captured:
 * they speak HBONE themselves (C.1). A waypoint's template says that of its pods alone.
 */
function labelsOf({ object }: Resource<Gateway>, kind: ProxyKind): { metadata: Labels; pod: Labels } {
  const own = object.metadata.labels ?? {}
  const labels = handedOn(object.spec.infrastructure?.labels, own)
  const says = own[dataplaneMode] !== undefined || labels[dataplaneMode] !== undefined
  const isWaypoint = object.spec.gatewayClassName.includes('waypoint')
  const metadata = says || isWaypoint ? labels : { ...labels, [dataplaneMode]: 'none' }
  return { metadata, pod: kind === 'waypoint' ? { [dataplaneMode]: 'none', ...metadata } : metadata }
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

/** What the API server would refuse of the Service, said where it was written. */
function checked(service: Resource<Service>, overlays: readonly Overlay[]): Resource<Service> {
  const { spec } = service.object
  const source = overlays.findLast(({ of }) => Object.keys(of.service).length > 0)?.source
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
