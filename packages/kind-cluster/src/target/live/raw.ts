import { TargetError } from '../errors.js'
import { isRecord, valueAt } from './plain.js'

/** An object as the API server gives it: whatever fields it has. */
export interface LiveObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
    readonly ownerReferences?: readonly {
      readonly kind: string
      readonly name: string
      readonly controller?: boolean
    }[]
  }
  readonly [field: string]: unknown
}

/** @throws TargetError `kubectl`: a proxy in between, or a program that is none of Kubernetes', answers with anything */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not what: it may be a Secret's.
    throw new TargetError('kubectl', `kubectl answered with ${text.trim() === '' ? 'nothing' : 'what is no JSON'}`)
  }
}

/** The items of a List; what is no object of Kubernetes is left out. */
export function itemsOf(text: string): readonly LiveObject[] {
  const list = parsed(text)
  const items = valueAt(list, 'items')
  return Array.isArray(items) ? items.filter(isLive) : isLive(list) ? [list] : []
}

function isLive(value: unknown): value is LiveObject {
  return (
    isRecord(value) &&
    typeof value.apiVersion === 'string' &&
    typeof value.kind === 'string' &&
    typeof valueAt(value, 'metadata', 'name') === 'string'
  )
}

/** `Kind/namespace/name`, or `Kind/name`, as a Resource has it. */
export const idOf = ({ kind, metadata }: LiveObject): string =>
  [kind, ...(metadata.namespace === undefined ? [] : [metadata.namespace]), metadata.name].join('/')

/** The group of an object's apiVersion; of Kubernetes' first kinds ''. */
export function groupOf({ apiVersion }: { readonly apiVersion: string }): string {
  const slash = apiVersion.indexOf('/')
  return slash === -1 ? '' : apiVersion.slice(0, slash)
}

/** The id with its group, since kinds of different groups may share a name: versions of one group are one kind. */
export const keyOf = (id: string, object: { readonly apiVersion: string }): string =>
  id.replace('/', () => `.${groupOf(object)}/`)

/** What the server alone writes. */
const ofTheServer = [
  ...['managedFields', 'resourceVersion', 'uid', 'generation', 'creationTimestamp', 'selfLink', 'ownerReferences'],
  ...['finalizers', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generateName'],
]
const applied = 'kubectl.kubernetes.io/last-applied-configuration'

/** As somebody may have written it: without status, and without what the server alone writes in its metadata. */
export function written(object: LiveObject): LiveObject {
  const { status: _, ...rest } = object
  const metadata = Object.entries(object.metadata).filter(([name]) => !ofTheServer.includes(name))
  const kept = { ...Object.fromEntries(metadata), name: object.metadata.name }
  const { [applied]: __, ...annotations } = object.metadata.annotations ?? {}
  return {
    ...rest,
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: { ...kept, ...(object.metadata.annotations !== undefined && { annotations }) },
  }
}

/** As `written`, and with what kubectl notes of what was applied: without it a later apply takes nothing away that a file no longer has. */
export function toPutBack(object: LiveObject): LiveObject {
  const back = written(object)
  const note = object.metadata.annotations?.[applied]
  if (note === undefined) return back
  return { ...back, metadata: { ...back.metadata, annotations: { ...back.metadata.annotations, [applied]: note } } }
}
