import type { FieldPath } from '@bulkhead/resources'
import type { Control } from './baseline.js'
import { type ContainerView, containersNamed, fieldsOf, listOf, plural, quoted, sorted } from './pod.js'
import { badSetters, inside, without } from './setters.js'

/*
 * What the level restricted adds (semantics E.5), with the API server's words.
 */

export const allowPrivilegeEscalation: Control = (pod) => {
  const bad = pod.containers.filter(({ security }) => security?.allowPrivilegeEscalation !== false)
  if (bad.length === 0) return undefined
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${containersNamed(bad)} must set securityContext.allowPrivilegeEscalation=false`,
    fields: bad.map(({ path }) => [...path, 'securityContext', 'allowPrivilegeEscalation']),
  }
}

export const dropAllCapabilities: Control = (pod) => {
  const keeping = pod.containers.filter(
    ({ security }) => !listOf(inside(security, ['capabilities', 'drop'])).includes('ALL'),
  )
  const added: { container: ContainerView; name: string; path: FieldPath }[] = []
  for (const container of pod.containers) {
    for (const [index, name] of listOf(inside(container.security, ['capabilities', 'add'])).entries()) {
      if (name === 'NET_BIND_SERVICE') continue
      const path = [...container.path, 'securityContext', 'capabilities', 'add', index]
      added.push({ container, name: String(name), path })
    }
  }
  if (keeping.length === 0 && added.length === 0) return undefined
  const adding = pod.containers.filter((container) => added.some((one) => one.container === container))
  const names = sorted(added.map(({ name }) => name))
  const details = [
    ...(keeping.length === 0 ? [] : [`${containersNamed(keeping)} must set securityContext.capabilities.drop=["ALL"]`]),
    ...(adding.length === 0
      ? []
      : [`${containersNamed(adding)} must not include ${quoted(names)} in securityContext.capabilities.add`]),
  ]
  return {
    reason: 'unrestricted capabilities',
    detail: details.join('; '),
    fields: [
      ...keeping.map(({ path }): FieldPath => [...path, 'securityContext', 'capabilities', 'drop']),
      ...added.map(({ path }) => path),
    ],
  }
}

const volumeTypes = [
  ...['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected'],
  'secret',
]
/** In the order in which the API server looks for the one that a volume has. */
const otherVolumeTypes = [
  ...['hostPath', 'gcePersistentDisk', 'awsElasticBlockStore', 'gitRepo', 'nfs', 'iscsi', 'glusterfs', 'rbd'],
  ...['flexVolume', 'cinder', 'cephfs', 'flocker', 'fc', 'azureFile', 'vsphereVolume', 'quobyte', 'azureDisk'],
  ...['photonPersistentDisk', 'portworxVolume', 'scaleIO', 'storageos'],
]

export const restrictedVolumes: Control = ({ spec }) => {
  const bad = listOf(spec.volumes).flatMap((volume, index) => {
    const fields = fieldsOf(volume) ?? {}
    const has = (type: string): boolean => fieldsOf(fields[type]) !== undefined
    // A volume that says nothing is an emptyDir: the API server fills that in before.
    if (volumeTypes.some(has) || Object.keys(fields).every((name) => name === 'name')) return []
    return [{ index, name: String(fields.name), type: otherVolumeTypes.find(has) }]
  })
  if (bad.length === 0) return undefined
  const types = sorted(bad.map(({ type }) => type ?? 'unknown'))
  const use = bad.length === 1 ? 'uses' : 'use'
  return {
    reason: 'restricted volume types',
    detail: `${plural('volume', bad.length)} ${quoted(bad.map(({ name }) => name))} ${use} ${plural('restricted volume type', types.length)} ${quoted(types)}`,
    fields: bad.map(({ index, type }) => ['spec', 'volumes', index, ...(type === undefined ? [] : [type])]),
  }
}

export const runAsNonRoot: Control = (pod) => {
  const path = ['runAsNonRoot']
  const reason = 'runAsNonRoot != true'
  const bad = badSetters(pod, path, (value) => value !== true)
  if (bad !== undefined) {
    return { reason, detail: `${bad.said} must not set securityContext.runAsNonRoot=false`, fields: bad.fields }
  }
  if (inside(pod.security, path) === true) return undefined
  const missing = without(pod, path)
  if (missing.length === 0) return undefined
  return {
    reason,
    detail: `pod or ${containersNamed(missing)} must set securityContext.runAsNonRoot=true`,
    fields: missing.map((container) => [...container.path, 'securityContext', ...path]),
  }
}

export const runAsUser: Control = (pod) => {
  const bad = badSetters(pod, ['runAsUser'], (value) => value === 0)
  if (bad === undefined) return undefined
  return { reason: 'runAsUser=0', detail: `${bad.said} must not set runAsUser=0`, fields: bad.fields }
}
