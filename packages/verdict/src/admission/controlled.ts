import type { FieldPath, KubernetesObject, Resource, Workload } from '@bulkhead/resources'
import { nameHash } from '../model/hash.js'
import { groupOf, rawField } from '../model/kinds.js'
import { firstPodOf } from './objects.js'
import { textsOf } from './psa/pod.js'
import { controllerAccount, controllerOf, templateOf } from './targets.js'
import type { AdmissionRequest } from './types.js'

type Labels = Readonly<Record<string, string>>

/**
 * The pod that a workload's controller asks for next, as that controller. Undefined for what makes none. The places of
 * its fields are those of the template's. What a CronJob makes is a Job first, which nobody is asked about here.
 */
export function podRequestOf(workload: Resource): AdmissionRequest | undefined {
  const controller = controllerOf(workload.object)
  const found = templateOf(workload.object)
  if (controller === undefined || controller.account === '' || found === undefined) return undefined
  return {
    operation: 'CREATE',
    object: podOf(workload, found.template, found.path),
    user: controllerAccount(controller.account),
  }
}

function podOf(workload: Resource, template: unknown, path: FieldPath): Resource {
  const { name, added } = namedBy(workload)
  const namespace = workload.namespace ?? 'default'
  const annotations = textsOf(rawField(template, 'metadata', 'annotations'))
  const object: KubernetesObject & { readonly spec: unknown } = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels: { ...textsOf(rawField(template, 'metadata', 'labels')), ...added },
      ...(Object.keys(annotations).length > 0 && { annotations }),
      ...ownedBy(workload, added),
    },
    spec: rawField(template, 'spec') ?? {},
  }
  return {
    id: `Pod/${namespace}/${name}`,
    kind: 'Pod',
    namespace,
    name,
    object,
    ...(workload.layer !== undefined && { layer: workload.layer }),
    // Its name and what its controller adds are nowhere in the file.
    position: (field) => workload.position([...path, ...field]),
  }
}

const isWorkload = (resource: Resource): resource is Resource<Workload> =>
  groupOf(resource.object) === 'apps' && ['Deployment', 'StatefulSet', 'DaemonSet'].includes(resource.kind)

function namedBy(workload: Resource): { readonly name: string; readonly added: Labels } {
  if (isWorkload(workload)) return firstPodOf(workload)
  const suffix = nameHash(workload.id, 5)
  if (groupOf(workload.object) !== 'batch') return { name: `${workload.name}-${suffix}`, added: {} }
  const job = workload.kind === 'CronJob' ? `${workload.name}-${jobOfCronJob}` : workload.name
  return { name: `${job}-${suffix}`, added: { 'batch.kubernetes.io/job-name': job, 'job-name': job } }
}

/** A CronJob's Jobs are named by the minute; this one is the first of the epoch, so that names stay the same. */
const jobOfCronJob = '0'

/** Of a Deployment's pod it is the ReplicaSet. */
function ownedBy({ object, name }: Resource, added: Labels): { readonly ownerReferences: readonly object[] } {
  const owner =
    object.kind === 'Deployment'
      ? { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${name}-${added['pod-template-hash']}` }
      : object.kind === 'CronJob'
        ? { apiVersion: 'batch/v1', kind: 'Job', name: added['job-name'] }
        : { apiVersion: object.apiVersion, kind: object.kind, name }
  return { ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }] }
}
