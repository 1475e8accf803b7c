import { createHash } from 'node:crypto'
import { checkDuplicates, type KubernetesObject, layerOf, parseManifests, type Resource } from '@bulkhead/resources'
import type { Change } from '@bulkhead/scenarios'
import { TargetError } from '../errors.js'
import { groupOf } from '../live/raw.js'

/** The label that everything which a change brings has, so that what is left of one is found by anybody. */
const changeLabel = 'bulkhead.dev/change'

/** What a change says, read as files are. @throws TargetError `bad-change` with everything that is wrong with it */
export function readChange({ objects = '', file = 'change' }: Change): readonly Resource[] {
  const layer = layerOf(file)
  const { resources, diagnostics } = parseManifests(objects, file, layer === undefined ? {} : { layer })
  const wrong = [...diagnostics, ...checkDuplicates(resources)].filter(({ severity }) => severity === 'error')
  if (wrong.length === 0) return resources
  const lines = wrong.map(({ at, message }) => `${at.file}:${at.line}:${at.column}: ${message}`)
  throw new TargetError('bad-change', lines.join('\n'))
}

/** A change's name as a label may have it: 63 characters of a few kinds. */
export function labelOf(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9._-]/g, '-').replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
  if (plain === name && plain.length <= 63) return plain
  return `${plain.slice(0, 48)}-${createHash('sha256').update(name).digest('hex').slice(0, 12)}`
}

/** What is sent: the object as it is written, and whose it is. */
export function labelled({ object }: Resource, name: string): KubernetesObject {
  const { metadata } = object
  return { ...object, metadata: { ...metadata, labels: { ...metadata.labels, [changeLabel]: labelOf(name) } } }
}

const runsPods = new Set(['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob'])
const workloadGroups = new Set(['', 'apps', 'batch'])

/** Whether pods come of it: such an object is sent only when nothing of its change is refused. */
export const bringsPods = ({ object }: Pick<Resource, 'object'>): boolean =>
  runsPods.has(object.kind) && workloadGroups.has(groupOf(object))

/** What others need comes first: namespaces, then all that runs nothing, then what does. */
export function inOrder(resources: readonly Resource[]): readonly Resource[] {
  const rank = (one: Resource): number => (one.kind === 'Namespace' ? 0 : bringsPods(one) ? 2 : 1)
  return resources.toSorted((one, other) => rank(one) - rank(other))
}
