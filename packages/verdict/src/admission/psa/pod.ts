import type { FieldPath } from '@bulkhead/resources'

export type Fields = Readonly<Record<string, unknown>>

/** A container of whichever list, as every control looks at it. */
export interface ContainerView {
  readonly name: string
  /** From the pod's root: `spec`, `initContainers`, 0. */
  readonly path: FieldPath
  readonly fields: Fields
  /** Its securityContext; undefined where it has none. */
  readonly security: Fields | undefined
}

/** What Pod Security looks at: a pod, or the template of one. */
export interface PodView {
  /** Not the template of one: of those the API server fills in less. */
  readonly isPod: boolean
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: Fields
  readonly security: Fields | undefined
  /** Init containers first, ephemeral ones last: the order in which messages name them. */
  readonly containers: readonly ContainerView[]
  /** `spec.os.name` is windows: some controls of restricted have no meaning there. */
  readonly windows: boolean
  /** `spec.hostUsers` is false: root in it is nobody outside. */
  readonly userNamespace: boolean
}

/** One control that a pod breaks, with the API server's words. */
export interface Violation {
  readonly control: string
  readonly reason: string
  /** In parentheses behind the reason. */
  readonly detail: string
  /** From the pod's root; where a field is missing, where it would have to be. */
  readonly fields: readonly FieldPath[]
}

const lists = ['initContainers', 'containers', 'ephemeralContainers']

export function viewPod(pod: Fields, isPod = true): PodView {
  const spec = fieldsOf(pod.spec) ?? {}
  return {
    isPod,
    annotations: textsOf(fieldsOf(pod.metadata)?.annotations),
    spec,
    security: fieldsOf(spec.securityContext),
    containers: lists.flatMap((list) =>
      listOf(spec[list]).map((item, index): ContainerView => {
        const fields = fieldsOf(item) ?? {}
        return {
          name: String(fields.name ?? ''),
          path: ['spec', list, index],
          fields,
          security: fieldsOf(fields.securityContext),
        }
      }),
    ),
    windows: fieldsOf(spec.os)?.name === 'windows',
    userNamespace: spec.hostUsers === false,
  }
}

export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

const noTexts: Readonly<Record<string, string>> = {}

/** Only what is text: anything else the API server would have refused before. */
export function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return noTexts
  return Object.fromEntries(
    Object.entries(fieldsOf(value) ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** `"a", "b"` */
export const quoted = (items: readonly string[]): string => `"${items.join('", "')}"`

export const plural = (word: string, count: number): string => (count === 1 ? word : `${word}s`)

/** `container "a"`, `containers "a", "b"` */
export const containersNamed = (containers: readonly ContainerView[]): string =>
  `${plural('container', containers.length)} ${quoted(containers.map(({ name }) => name))}`

/** Each once, in the order of their bytes. */
export const sorted = (items: readonly string[]): string[] => [...new Set(items)].sort()
