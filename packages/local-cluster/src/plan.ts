import type {
  Pod as BarePod,
  Container,
  PodSpec,
  PodTemplate,
  Resource,
  ServiceAccount,
  Workload,
} from '@bulkhead/resources'
import { publicHalfAnnotation } from '@bulkhead/resources/secrets'
import type { Pod, Snapshot } from '@bulkhead/verdict'
import type { Refusal } from './admission/refusal.js'
import { claimsOf } from './claims.js'
import { containerEnv, MissingReference, type PodContext } from './env.js'
import { ClusterError, messageOf } from './errors.js'
import { commandLine, type Image, type ImageTable, repositoryOf } from './images.js'
import { serviceEnv, withAccess } from './kube-api/access.js'
import type { SecretValues } from './secrets.js'

export interface PlannedContainer {
  readonly spec: Container
  readonly image: Image
  readonly argv: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
}

/** Everything that is needed to start a pod, checked: nothing of it can turn out to be missing half-way. */
export interface PodPlan {
  readonly pod: Pod
  readonly kind: string
  readonly spec: PodSpec
  readonly context: PodContext
  readonly init: readonly PlannedContainer[]
  readonly containers: readonly PlannedContainer[]
  /** Which PersistentVolumeClaim is behind a volume, by the volume's name. */
  readonly claims: ReadonlyMap<string, string>
  /**
   * Another one, and the pod has to be made anew: the template it was made after. What it reads from a ConfigMap or a
   * Secret is what it found at its start, as on a cluster.
   */
  readonly fingerprint: string
  /** Why it may not be created: it is wanted, and nothing of it is ever started. */
  readonly refused?: Refusal
}

const owners = ['Deployment', 'StatefulSet', 'DaemonSet']

/** As `status` names them: no workload of the manifests is of these kinds, istiod makes Deployments of Gateways. */
export const gatewayKind = 'Gateway'
export const waypointKind = 'Waypoint'

/** A gateway's or a waypoint's: the mesh plays its proxy, and it has no program. */
export const isPlayed = ({ gateway, waypoint }: Pod): boolean => (gateway ?? waypoint) !== undefined

export interface PlanParts {
  readonly images: ImageTable
  readonly secrets: SecretValues
  /** The root of the API server's certificate, PEM. Absent: there is none, and pods get nothing to ask it with. */
  readonly rootCa?: string
}

/**
 * What has to run for a snapshot: one plan per pod, but for those that only linger.
 *
 * @throws ClusterError (`unknown-image`, `bad-pod`) naming each object and place that cannot be started.
 */
export function planPods(
  snapshot: Snapshot,
  { images, secrets, rootCa }: PlanParts,
  lingering: ReadonlySet<string> = new Set(),
): ReadonlyMap<string, PodPlan> {
  const byId = new Map(snapshot.resources.map((resource) => [resource.id, resource]))
  const nodes = [...snapshot.nodes, snapshot.platform.controlPlane]
  const problems: { code: 'unknown-image' | 'bad-pod'; text: string }[] = []
  const plans = new Map<string, PodPlan>()
  for (const resource of snapshot.resources) {
    if (resource.kind !== 'Secret' || resource.object.metadata.annotations?.[publicHalfAnnotation] === undefined)
      continue
    try {
      secrets.of(resource, (id) => byId.get(id))
    } catch (error) {
      problems.push({ code: 'bad-pod', text: messageOf(error) })
    }
  }
  for (const pod of snapshot.pods.values()) {
    if (lingering.has(pod.key)) continue
    if (isPlayed(pod)) {
      plans.set(pod.key, planPlayed(pod))
      continue
    }
    const owner = ownerOf(pod, byId)
    if (owner === undefined) {
      problems.push({ code: 'bad-pod', text: `no object was found that runs the pod ${pod.key}` })
      continue
    }
    const before = problems.length
    const { resource, template, path } = owner
    const context: PodContext = {
      pod,
      annotations: template.metadata?.annotations ?? {},
      hostIp: nodes.find(({ name }) => name === pod.node)?.ip ?? '',
      find: (id) => byId.get(id),
      secrets,
      ...(rootCa !== undefined && { rootCa }),
    }
    const account = byId.get(`ServiceAccount/${pod.namespace}/${pod.serviceAccount}`)
    const spec =
      rootCa === undefined ? template.spec : withAccess(template.spec, account?.object as ServiceAccount | undefined)
    const problem = (code: 'unknown-image' | 'bad-pod', where: readonly (string | number)[], text: string) => {
      const { file, line } = resource.position(where)
      const said = `${file}:${line}: ${resource.id}: ${text}`
      if (!problems.some((known) => known.text === said)) problems.push({ code, text: said })
    }
    const plan = (field: 'containers' | 'initContainers') =>
      (spec[field] ?? []).flatMap((spec, index) => {
        const at = [...path, 'spec', field, index]
        const image = images.get(repositoryOf(spec.image))
        if (image === undefined) {
          problem(
            'unknown-image',
            [...at, 'image'],
            `the image ${JSON.stringify(spec.image)} is not known here; known are ${[...images.keys()].join(', ')}`,
          )
          return []
        }
        try {
          const env = { ...image.env, ...(rootCa !== undefined && serviceEnv), ...containerEnv(spec, context) }
          return [{ spec, image, argv: commandLine(spec, image), env }]
        } catch (error) {
          if (error instanceof MissingReference) problem('bad-pod', [...at, ...error.path], error.message)
          else
            problem(
              'bad-pod',
              [...at, spec.command === undefined ? 'args' : 'command'],
              error instanceof Error ? error.message : String(error),
            )
          return []
        }
      })
    const init = plan('initContainers')
    const containers = plan('containers')
    const claims = claimsOf(owner, context, (where, text) => problem('bad-pod', where, text))
    if (problems.length > before) continue
    const fingerprint = JSON.stringify(template)
    plans.set(pod.key, { pod, kind: resource.kind, spec, context, init, containers, claims, fingerprint })
  }
  const [first] = problems
  if (first === undefined) return plans
  const head = problems.length === 1 ? '' : `${problems.length} things in the manifests cannot be started:\n  `
  throw new ClusterError(first.code, `${head}${problems.map(({ text }) => text).join('\n  ')}`)
}

/** Nothing is started for it; its listeners and routes are the mesh's to follow, and what it is makes it anew. */
function planPlayed(pod: Pod): PodPlan {
  const context = { pod, annotations: {}, hostIp: '', find: () => undefined, secrets: { of: () => ({}) } }
  const fingerprint = JSON.stringify([pod.gateway, pod.waypoint, pod.labels, pod.identity])
  return {
    pod,
    kind: pod.waypoint === undefined ? gatewayKind : waypointKind,
    spec: { containers: [] },
    context,
    init: [],
    containers: [],
    claims: new Map(),
    fingerprint,
  }
}

/**
 * What the workloads would run whose controllers may create no pods. Whether it could be started is nobody's concern: an image
 * that is refused is never pulled.
 */
export function planRefused(snapshot: Snapshot, podless: ReadonlyMap<string, Refusal>): ReadonlyMap<string, PodPlan> {
  const plans = new Map<string, PodPlan>()
  if (podless.size === 0) return plans
  const byId = new Map(snapshot.resources.map((resource) => [resource.id, resource]))
  for (const pod of snapshot.pods.values()) {
    const refused = podless.get(pod.workload)
    if (refused === undefined) continue
    const played = planPlayed(pod)
    const owner = isPlayed(pod) ? undefined : ownerOf(pod, byId)
    plans.set(pod.key, {
      ...played,
      ...(owner !== undefined && { kind: owner.resource.kind, fingerprint: JSON.stringify(owner.template) }),
      refused,
    })
  }
  return plans
}

export interface PodOwner {
  readonly resource: Resource
  readonly template: PodTemplate
  /** Where the template is in it. */
  readonly path: readonly string[]
}

function ownerOf(pod: Pod, byId: ReadonlyMap<string, Resource>): PodOwner | undefined {
  const bare = byId.get(`Pod/${pod.key}`)
  if (bare !== undefined) return { resource: bare, template: bare.object as BarePod, path: [] }
  for (const kind of owners) {
    const resource = byId.get(`${kind}/${pod.workload}`)
    if (resource !== undefined)
      return { resource, template: (resource.object as Workload).spec.template, path: ['spec', 'template'] }
  }
  return undefined
}

/** When its containers are started again. A workload's pods always are; one that stands alone has its own say. */
export function restartPolicy({ kind, spec }: PodPlan): 'Always' | 'OnFailure' | 'Never' {
  const { restartPolicy: policy } = spec as { readonly restartPolicy?: unknown }
  return kind === 'Pod' && (policy === 'OnFailure' || policy === 'Never') ? policy : 'Always'
}
