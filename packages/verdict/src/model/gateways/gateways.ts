import type { Gateway, KubernetesObject, Resource, Service, ServiceAccount, Workload } from '@bulkhead/resources'
import { hasSidecar, isCaptured } from '../capture.js'
import { CompileError } from '../compile-error.js'
import { at, namespaceOf, ofKind, readNamespaceLabels } from '../kinds.js'
import type { NotModelled } from '../not-modelled.js'
import { type ProxyKind, proxyKindOf, whyNotModelled } from './classes.js'
import { type Generated, generate } from './generate.js'
import { type Overlay, readOverlays } from './overlay.js'

/** The Gateways of a set of objects: those whose proxy is modelled, and those whose is not. */
export interface Gateways {
  readonly generated: readonly Generated[]
  readonly notModelled: readonly NotModelled[]
}

/**
 * What istiod runs for the Gateways, with what stays of it as it was. Throws CompileError where it would not run anything, and where a generated name is
 * taken.
 */
export function readGateways(
  resources: readonly Resource[],
  namespaceLabels: ReadonlyMap<string, Readonly<Record<string, string>>>,
  kept: readonly Resource[] = [],
): Gateways {
  const generated: Generated[] = []
  const notModelled: NotModelled[] = []
  for (const gateway of ofKind<Gateway>(resources, 'gateway.networking.k8s.io', 'Gateway')) {
    const kind = proxyKindOf(gateway, resources)
    const why = whyNotModelled(gateway, kind)
    if (why !== undefined || kind === undefined) {
      if (why !== undefined) notModelled.push(why)
      continue
    }
    const one = withKept(generateOnce(gateway, kind, readOverlays(gateway, resources)), kept)
    const odd = whyOdd(one, namespaceLabels)
    if (odd === undefined) generated.push(one)
    else notModelled.push({ effect: effectOf(kind), id: gateway.id, what: odd, at: at(gateway) })
  }
  checkNames(generated, resources)
  return { generated, notModelled }
}

/** What was made of a Gateway last, and of what: with the same it is the same, to the object. */
const made = new WeakMap<Resource<Gateway>, { readonly overlays: readonly Overlay[]; readonly one: Generated }>()

function generateOnce(gateway: Resource<Gateway>, kind: ProxyKind, overlays: readonly Overlay[]): Generated {
  const last = made.get(gateway)
  const isSame = (overlay: Overlay, index: number) => last?.overlays[index] === overlay
  if (last?.one.kind === kind && last.overlays.length === overlays.length && overlays.every(isSame)) return last.one
  const one = generate(gateway, kind, overlays)
  made.set(gateway, { overlays, one })
  return one
}

function withKept(one: Generated, kept: readonly Resource[]): Generated {
  if (kept.length === 0) return one
  const asKept = <T extends KubernetesObject>(made: Resource<T>, group: string): Resource<T> =>
    ofKind<T>(kept, group, made.kind).find(({ id }) => id === made.id) ?? made
  return {
    ...one,
    serviceAccount: asKept<ServiceAccount>(one.serviceAccount, ''),
    deployment: asKept<Workload>(one.deployment, 'apps'),
    service: asKept<Service>(one.service, ''),
  }
}

/**
 * What istiod makes of the Gateways, in the order in which it does: of each the ServiceAccount, the Deployment and the
 * Service. A ServiceAccount that is written among the objects is left as it is. Throws CompileError as `compile` does.
 */
export function gatewayObjects(resources: readonly Resource[]): readonly Resource[] {
  const written = new Set(ofKind(resources, '', 'ServiceAccount').map(({ id }) => id))
  const { generated } = readGateways(resources, readNamespaceLabels(resources))
  return generated.flatMap(({ serviceAccount, deployment, service }) => [
    ...(written.has(serviceAccount.id) ? [] : [serviceAccount]),
    deployment,
    service,
  ])
}

const effectOf = (kind: ProxyKind): NotModelled['effect'] => (kind === 'waypoint' ? 'waypoint' : 'proxy')

/** Labels and overlays that make another kind of pod of it than a proxy of its own. */
function whyOdd(
  { gateway, kind, deployment }: Generated,
  namespaceLabels: ReadonlyMap<string, Readonly<Record<string, string>>>,
): string | undefined {
  const { template } = deployment.object.spec
  const namespace = namespaceOf(gateway)
  const subject = {
    namespace,
    namespaceLabels: namespaceLabels.get(namespace) ?? {},
    labels: template.metadata?.labels ?? {},
    annotations: template.metadata?.annotations ?? {},
    hostNetwork: template.spec.hostNetwork === true,
  }
  if (isCaptured(subject)) return `a ${kind} whose own traffic is captured by ztunnel`
  if (hasSidecar(subject)) return `a ${kind} with a sidecar`
  if (subject.hostNetwork) return `a ${kind} on the host's network`
  return undefined
}

function checkNames(generated: readonly Generated[], resources: readonly Resource[]): void {
  const taken = new Map<string, Resource>(
    resources
      .filter(({ object }) => object.apiVersion === 'v1' || object.apiVersion === 'apps/v1')
      .map((resource) => [`${resource.kind}/${namespaceOf(resource)}/${resource.name}`, resource]),
  )
  for (const { gateway, deployment, service } of generated) {
    for (const made of [deployment, service]) {
      const clash = taken.get(made.id)
      if (clash === undefined) {
        taken.set(made.id, gateway)
        continue
      }
      const whose = clash.kind === 'Gateway' ? `${clash.id} makes (${at(clash)})` : `is written (${at(clash)})`
      throw new CompileError(
        gateway,
        ['metadata', 'name'],
        `istiod makes ${made.id} of it, and there is one of that name that ${whose}; give the Gateway another name, or the annotation gateway.istio.io/name-override`,
      )
    }
  }
}
