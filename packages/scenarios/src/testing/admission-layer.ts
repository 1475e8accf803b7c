import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type KubernetesObject, loadManifests, type Resource } from '@bulkhead/resources'
import { changedResource } from '@bulkhead/resources/made'
import { gatewayObjects } from '@bulkhead/verdict'
import {
  type Admission,
  type AdmissionPolicies,
  type AdmissionRequest,
  type AdmissionStep,
  admit,
  compileAdmission,
  requesterOf,
} from '@bulkhead/verdict/admission'
import { resources } from './repository.js'

/*
 * The layer 10-admission as a cluster would have it in force, and what it says of objects.
 */

const root = resolve(import.meta.dirname, '../../../..')
const layer = join(root, 'k8s/layers/10-admission')

export type Plain = Readonly<Record<string, unknown>>

/** One folder each. */
export const policyNames: readonly string[] = readdirSync(layer, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'exceptions')
  .map(({ name }) => name)
  .sort()

export async function load(path: string): Promise<readonly Resource[]> {
  return (await loadManifests([join(root, path)], { relativeTo: root })).resources
}

const inFolder = (file: string) => (policy: string) => load(`k8s/layers/10-admission/${policy}/${file}.yaml`)
/** What a policy refuses, and what it lets in. */
export const badOf = inFolder('bad')
export const goodOf = inFolder('good')

/** What istiod makes of the Gateways of the layers, as whom it asks for it. */
export const generated: readonly Resource[] = gatewayObjects(resources)
export const istiod = requesterOf('system:serviceaccount:istio-system:istiod')

/** All that is there: k8s/ whole, what istiod has made, and what else a test brings along. */
export function policiesWith(
  more: readonly Resource[] = [],
  change: (resource: Resource) => Resource | undefined = (resource) => resource,
): AdmissionPolicies {
  const own = new Set(more.map(({ id }) => id))
  const there = [...resources, ...generated].filter(({ id }) => !own.has(id))
  return compileAdmission([...there, ...more].flatMap((resource) => change(resource) ?? []))
}

const written = new Map(resources.map((resource) => [resource.id, resource]))

/** As kubectl asks: CREATE, or UPDATE of what is there; the annotation bulkhead.dev/as says who asks, if not the administrator. */
export function asked(object: Resource, request: Partial<AdmissionRequest> = {}): AdmissionRequest {
  const before = written.get(object.id)
  const as = object.object.metadata.annotations?.['bulkhead.dev/as']
  return {
    operation: before === undefined ? 'CREATE' : 'UPDATE',
    object,
    ...(before !== undefined && { oldObject: before.object }),
    ...(as !== undefined && { user: requesterOf(as) }),
    ...request,
  }
}

export const ask = (
  object: Resource,
  policies: AdmissionPolicies,
  request: Partial<AdmissionRequest> = {},
): Admission => admit(asked(object, request), policies)

/** Of the object, and of the pod that comes of it. */
export const stepsOf = ({ steps, pod }: Admission): readonly AdmissionStep[] => [...steps, ...(pod?.steps ?? [])]

const refuses = ({ outcome }: AdmissionStep): boolean => outcome === 'deny' || outcome === 'unknown'

/** Who refuses it, without `ValidatingPolicy/`. What nobody can tell counts as refused, and is named so. */
export function refusedBy(admission: Admission): readonly string[] {
  const names = stepsOf(admission)
    .filter(refuses)
    .map(({ outcome, policy = '' }) =>
      outcome === 'unknown' ? `unknown ${policy}` : policy.replace(/^ValidatingPolicy\//, ''),
    )
  return [...new Set(names)].sort()
}

/** What they say, for a test that fails. */
export const told = (admission: Admission): string =>
  stepsOf(admission)
    .filter(refuses)
    .map(({ policy, message, path, facts }) => `${policy} ${path ?? ''}: ${message ?? JSON.stringify(facts)}`)
    .join('\n')

/** The object with some of its fields in the place of others. */
export const withObject = (resource: Resource, object: KubernetesObject): Resource => ({
  ...changedResource(resource, object),
  id: [
    object.kind,
    ...(object.metadata.namespace === undefined ? [] : [object.metadata.namespace]),
    object.metadata.name,
  ].join('/'),
  kind: object.kind,
  name: object.metadata.name,
  ...(object.metadata.namespace !== undefined && { namespace: object.metadata.namespace }),
})
