import type { MutualTlsMode, PeerAuthentication, Resource } from '@bulkhead/resources'
import { labelsMatch } from '@bulkhead/resources/selectors'
import { at, namespaceOf, ofKind, rawField } from '../../model/kinds.js'

/** A mode, and the object and line that say it. */
export interface ModeSource {
  readonly mode: 'STRICT' | 'PERMISSIVE' | 'DISABLE'
  readonly policy: string
  readonly layer: string | undefined
  readonly at: string
}

/** What holds for one class of pods. `base` is undefined when no policy says a mode: PERMISSIVE by default. */
export interface EffectiveMtls {
  readonly base: ModeSource | undefined
  /** Only ports whose mode is said. */
  readonly ports: ReadonlyMap<number, ModeSource>
}

/** The PeerAuthentications of a snapshot, oldest first, sorted by what they apply to. */
export interface PeerAuthentications {
  readonly mesh: readonly Resource<PeerAuthentication>[]
  readonly namespace: ReadonlyMap<string, readonly Resource<PeerAuthentication>[]>
  readonly workload: ReadonlyMap<string, readonly Resource<PeerAuthentication>[]>
}

export function readPeerAuthentications(resources: readonly Resource[], rootNamespace: string): PeerAuthentications {
  const mesh: Resource<PeerAuthentication>[] = []
  const namespace = new Map<string, Resource<PeerAuthentication>[]>()
  const workload = new Map<string, Resource<PeerAuthentication>[]>()
  const add = (map: Map<string, Resource<PeerAuthentication>[]>, resource: Resource<PeerAuthentication>): void => {
    const key = namespaceOf(resource)
    map.set(key, [...(map.get(key) ?? []), resource])
  }
  const all = ofKind<PeerAuthentication>(resources, 'security.istio.io', 'PeerAuthentication')
  for (const resource of oldestFirst(all)) {
    const selects = Object.keys(resource.object.spec?.selector?.matchLabels ?? {}).length > 0
    const inRoot = namespaceOf(resource) === rootNamespace
    // A selector in the root namespace is ignored for ambient, and the object with it (C.2).
    if (selects && !inRoot) add(workload, resource)
    else if (!selects && inRoot) mesh.push(resource)
    else if (!selects) add(namespace, resource)
  }
  return { mesh, namespace, workload }
}

/**
 * By creationTimestamp where the objects carry one, as on a cluster. Manifests do not, and there the first applied is
 * the oldest: the order of the objects.
 */
function oldestFirst(all: readonly Resource<PeerAuthentication>[]): Resource<PeerAuthentication>[] {
  const age = (resource: Resource): number => {
    const stamp = rawField(resource.object, 'metadata', 'creationTimestamp')
    const time = typeof stamp === 'string' ? Date.parse(stamp) : Number.NaN
    return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time
  }
  return [...all].sort((a, b) => {
    const [first, second] = [age(a), age(b)]
    return first === second ? 0 : first - second
  })
}

/**
 * The modes for pods of that namespace with those labels. Precedence (C.2): the workload's policy, then the
 * namespace's, then the mesh's; UNSET inherits; at each level only the oldest counts.
 */
export function effectiveMtls(
  policies: PeerAuthentications,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): EffectiveMtls {
  const ofWorkload = policies.workload
    .get(namespace)
    ?.find((resource) => labelsMatch(resource.object.spec?.selector?.matchLabels ?? {}, labels))
  const ofNamespace = policies.namespace.get(namespace)?.[0]
  const base = [ofWorkload, ofNamespace, policies.mesh[0]]
    .map((resource) => resource && said(resource, ['spec', 'mtls', 'mode'], resource.object.spec?.mtls?.mode))
    .find((mode) => mode !== undefined)

  // Modes of single ports count only beside a selector, and are keyed on the container's port (C.2).
  const ports = new Map<number, ModeSource>()
  if (ofWorkload !== undefined) {
    for (const [port, { mode }] of Object.entries(ofWorkload.object.spec?.portLevelMtls ?? {})) {
      const source = said(ofWorkload, ['spec', 'portLevelMtls', port, 'mode'], mode)
      if (source !== undefined) ports.set(Number(port), source)
    }
  }
  return { base, ports }
}

function said(
  resource: Resource<PeerAuthentication>,
  path: readonly string[],
  mode: MutualTlsMode | undefined,
): ModeSource | undefined {
  if (mode === undefined || mode === 'UNSET') return undefined
  return { mode, policy: resource.id, layer: resource.layer, at: at(resource, path) }
}
