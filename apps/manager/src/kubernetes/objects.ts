import type { NodeView, PodView } from './types.js'

/*
 * What is read of the API's objects. Written out by hand: a cluster has ten thousand pods, and each is read again with each of its changes.
 * What is absent is empty; what is of another type than the API's is no pod, and the reader says so.
 */

type Fields = Readonly<Record<string, unknown>>

/** @throws TypeError */
export function asRecord(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`an object was expected, and there is ${JSON.stringify(value)?.slice(0, 60)}`)
  }
  return value as Fields
}

const recordOf = (value: unknown): Fields => (value === undefined || value === null ? {} : asRecord(value))

/** @throws TypeError */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string')
    throw new TypeError(`a string was expected, and there is ${JSON.stringify(value)?.slice(0, 60)}`)
  return value
}

/** @throws TypeError */
function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value))
    throw new TypeError(`a list was expected, and there is ${JSON.stringify(value)?.slice(0, 60)}`)
  return value
}

const phases: ReadonlySet<unknown> = new Set<PodView['phase']>(['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'])

/** @throws TypeError when it is no pod */
export function readPod(object: unknown): PodView {
  const { metadata, spec, status } = asRecord(object)
  const { uid, name, namespace, labels } = asRecord(metadata)
  const { nodeName, serviceAccountName, containers } = recordOf(spec)
  const { phase, podIP, hostIP } = recordOf(status)
  return {
    uid: required(uid, 'metadata.uid'),
    name: required(name, 'metadata.name'),
    namespace: required(namespace, 'metadata.namespace'),
    nodeName: textOf(nodeName),
    phase: phases.has(phase) ? (phase as PodView['phase']) : 'Unknown',
    podIP: textOf(podIP),
    hostIP: textOf(hostIP),
    serviceAccount: textOf(serviceAccountName),
    labels: readLabels(labels),
    containers: listOf(containers).map(readContainer),
  }
}

function required(value: unknown, field: string): string {
  const text = textOf(value)
  if (text === '') throw new TypeError(`${field} is missing`)
  return text
}

function readLabels(labels: unknown): Readonly<Record<string, string>> {
  const read = recordOf(labels)
  for (const key in read) textOf(read[key])
  return read as Record<string, string>
}

function readContainer(container: unknown): PodView['containers'][number] {
  const { name, command, args, ports } = asRecord(container)
  return {
    name: textOf(name),
    commandLine: [...listOf(command), ...listOf(args)].map(textOf).join(' '),
    ports: listOf(ports)
      .map((port) => recordOf(port).containerPort)
      .filter((port): port is number => Number.isInteger(port)),
  }
}

/** @throws TypeError when it is no node */
export function readNode(object: unknown): NodeView {
  const { metadata, status } = asRecord(object)
  const ready = listOf(recordOf(status).conditions)
    .map(recordOf)
    .find(({ type }) => type === 'Ready')
  return {
    name: required(asRecord(metadata).name, 'metadata.name'),
    status: ready?.status === 'True' ? 'Ready' : ready?.status === 'False' ? 'NotReady' : 'Unknown',
  }
}
