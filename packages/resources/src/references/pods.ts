import { quote } from '../diagnostics.js'
import type { ConfigMap, Container, Secret, Service } from '../kinds.js'
import { isObject } from '../plain.js'
import type { Diagnostic, FieldPath, Resource } from '../types.js'
import { type Cluster, type PodTemplateOf, warning } from './cluster.js'

/** What pods refer to: a service account, ConfigMaps and Secrets. Without them a pod does not start. */
export function checkPods(cluster: Cluster): Diagnostic[] {
  return cluster.pods.flatMap((pod) => [
    ...checkAccount(cluster, pod),
    ...configRefs(pod).flatMap((ref) => checkConfig(cluster, pod, ref)),
  ])
}

function checkAccount(cluster: Cluster, { resource, namespace, spec, specPath }: PodTemplateOf): Diagnostic[] {
  const name = spec.serviceAccountName
  if (name === undefined || name === '' || cluster.hasServiceAccount(namespace, name)) return []
  return [
    warning(
      resource,
      'reference.service-account',
      [...specPath, 'serviceAccountName'],
      `there is no ServiceAccount ${quote(name)} in ${namespace}, so its pods would not be created`,
    ),
  ]
}

interface ConfigRef {
  readonly kind: 'ConfigMap' | 'Secret'
  readonly name: string
  readonly key?: string
  readonly path: FieldPath
}

function checkConfig(
  cluster: Cluster,
  { resource, namespace }: PodTemplateOf,
  { kind, name, key, path }: ConfigRef,
): Diagnostic[] {
  // Put into every namespace by the cluster.
  if (kind === 'ConfigMap' && name === 'kube-root-ca.crt') return []
  const found = cluster.get('', kind, namespace, name)
  if (found === undefined)
    return [
      warning(
        resource,
        `reference.${kind === 'Secret' ? 'secret' : 'config-map'}`,
        path,
        `there is no ${kind} ${quote(name)} in ${namespace}`,
      ),
    ]
  if (key === undefined || hasKey(found, key)) return []
  return [warning(resource, 'reference.key', path, `the ${kind} ${quote(name)} has no key ${quote(key)}`)]
}

function hasKey(resource: Resource, key: string): boolean {
  const { data = {}, stringData = {} } = resource.object as ConfigMap & Secret
  const { binaryData } = resource.object as { binaryData?: unknown }
  // A Secret without any value is filled by something else, later.
  const isFilledLater = resource.kind === 'Secret' && Object.keys({ ...data, ...stringData }).length === 0
  return (
    isFilledLater ||
    generatedKeys(resource).includes(key) ||
    Object.hasOwn(data, key) ||
    Object.hasOwn(stringData, key) ||
    (isObject(binaryData) && Object.hasOwn(binaryData, key))
  )
}

/** The keys of a Secret whose values are made where it is used, so that they are in no file. */
function generatedKeys({ kind, object }: Resource): readonly string[] {
  const keys = kind === 'Secret' ? object.metadata.annotations?.['bulkhead.dev/generate'] : undefined
  return (keys ?? '').split(',').map((one) => one.trim())
}

function configRefs({ spec, specPath }: PodTemplateOf): ConfigRef[] {
  const containers = (['initContainers', 'containers'] as const).flatMap((field) =>
    (spec[field] ?? []).flatMap((container, index) => containerRefs(container, [...specPath, field, index])),
  )
  const volumes = (spec.volumes ?? []).flatMap((volume, index) => volumeRefs(volume, [...specPath, 'volumes', index]))
  return [...containers, ...volumes]
}

function containerRefs(container: Container, path: FieldPath): ConfigRef[] {
  const refs: (ConfigRef | undefined)[] = []
  for (const [index, { valueFrom }] of (container.env ?? []).entries()) {
    const at = [...path, 'env', index, 'valueFrom']
    refs.push(refOf('ConfigMap', valueFrom?.configMapKeyRef, [...at, 'configMapKeyRef']))
    refs.push(refOf('Secret', valueFrom?.secretKeyRef, [...at, 'secretKeyRef']))
  }
  for (const [index, { configMapRef, secretRef }] of (container.envFrom ?? []).entries()) {
    const at = [...path, 'envFrom', index]
    refs.push(
      refOf('ConfigMap', configMapRef, [...at, 'configMapRef']),
      refOf('Secret', secretRef, [...at, 'secretRef']),
    )
  }
  return refs.filter((ref) => ref !== undefined)
}

function volumeRefs(volume: object, path: FieldPath): ConfigRef[] {
  const { configMap, secret, projected } = volume as Readonly<Record<string, unknown>>
  const refs = [
    refOf('ConfigMap', configMap, [...path, 'configMap']),
    refOf('Secret', secret, [...path, 'secret'], 'secretName'),
  ]
  const sources = isObject(projected) && Array.isArray(projected.sources) ? projected.sources : []
  for (const [index, source] of sources.entries()) {
    if (!isObject(source)) continue
    const at = [...path, 'projected', 'sources', index]
    refs.push(
      refOf('ConfigMap', source.configMap, [...at, 'configMap']),
      refOf('Secret', source.secret, [...at, 'secret']),
    )
  }
  return refs.filter((ref) => ref !== undefined)
}

function refOf(kind: ConfigRef['kind'], ref: unknown, path: FieldPath, nameField = 'name'): ConfigRef | undefined {
  if (!isObject(ref) || ref.optional === true) return undefined
  const name = ref[nameField]
  if (typeof name !== 'string' || name === '') return undefined
  return { kind, name, path: [...path, nameField], ...(typeof ref.key === 'string' ? { key: ref.key } : {}) }
}

/** A Service's named target port must be a port of the pods behind it, or the Service leads nowhere. */
export function checkServicePorts(cluster: Cluster): Diagnostic[] {
  return cluster.resources.flatMap((resource) => {
    if (resource.kind !== 'Service' || resource.object.apiVersion !== 'v1') return []
    const { selector, ports = [] } = (resource.object as Service).spec
    const pods = selector === undefined ? [] : cluster.podsSelected({ matchLabels: selector }, resource.namespace)
    if (pods.length === 0) return []
    const names = new Set(
      pods.flatMap(({ spec }) =>
        spec.containers.flatMap((container) => (container.ports ?? []).map((port) => port.name)),
      ),
    )
    return [...ports.entries()].flatMap(([index, { targetPort }]) =>
      typeof targetPort !== 'string' || names.has(targetPort)
        ? []
        : [
            warning(
              resource,
              'reference.port',
              ['spec', 'ports', index, 'targetPort'],
              `no pod that it selects has a port named ${quote(targetPort)}`,
            ),
          ],
    )
  })
}
