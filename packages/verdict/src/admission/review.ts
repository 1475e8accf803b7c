import type { KubernetesObject, Resource } from '@bulkhead/resources'
import { changedResource, madeResource } from '@bulkhead/resources/made'
import { type NamespaceView, type ObjectIndex, viewNamespace } from './objects.js'
import { fieldsOf } from './psa/pod.js'
import { administrator, isNamespace, resourceOf } from './targets.js'
import type { AdmissionRequest, Review } from './types.js'

type Fields = Readonly<Record<string, unknown>>

const none: NamespaceView = { object: null, labels: {} }

/** One request, as policies look at it. The object has its namespace, as the API server fills it in. */
export function reviewOf(request: AdmissionRequest, objects: ObjectIndex): Review {
  const { object: resource, oldObject } = request
  const namespace = resource.namespace
  const inNamespace = (object: KubernetesObject): Fields =>
    namespace === undefined || object.metadata.namespace === namespace
      ? { ...object }
      : { ...object, metadata: { ...object.metadata, namespace } }
  const object = inNamespace(resource.object)
  const isNew = isNamespace(resource.object)
  const view = isNew
    ? viewNamespace(resource.name, resource.object)
    : namespace === undefined
      ? none
      : objects.namespace(namespace)
  return {
    request: { ...request, user: request.user ?? administrator },
    object,
    oldObject: oldObject === undefined ? null : inNamespace(oldObject),
    resource: resourceOf(resource.kind),
    namespace,
    namespaceLabels: view.labels,
    namespaceObject: view.object,
    get: objects.get,
    list: objects.list,
    objectAt: (path) => place(resource, path),
  }
}

/** The same request with the object that a mutating policy left. */
export function mutated(review: Review, object: Fields): Review {
  const resource = changedResource(review.request.object, asObject(object, review.request.object))
  const view = isNamespace(resource.object) ? viewNamespace(resource.name, resource.object) : undefined
  return {
    ...review,
    request: { ...review.request, object: resource },
    object: { ...resource.object },
    ...(view !== undefined && { namespaceObject: view.object, namespaceLabels: view.labels }),
    objectAt: (path) => place(resource, path),
  }
}

/** No policy gives an object another kind or name: whoever asked asked for this one. */
function asObject(object: Fields, before: Resource): KubernetesObject {
  const metadata = fieldsOf(object.metadata) ?? {}
  const { apiVersion, kind } = before.object
  return { ...object, apiVersion, kind, metadata: { ...metadata, name: before.name } }
}

/** An object that a policy generated: its lines are the policy's. */
export function generatedBy(policy: Resource | undefined, object: KubernetesObject, trigger: Resource): Resource {
  return madeResource(object, policy ?? trigger)
}

function place(resource: Resource, path: readonly (string | number)[]): string {
  const { file, line, column } = resource.position(path)
  return `${file}:${line}:${column}`
}
