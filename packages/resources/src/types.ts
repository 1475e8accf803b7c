/** A path into an object: field names and list indexes, from the object's root. */
export type FieldPath = readonly (string | number)[]

/** Where something is written. Lines and columns count from 1; `file` is relative to the folder the user named. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** Any Kubernetes object, as plain data. A field that is missing stays missing; an empty list stays an empty list. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

/** One object read from a file, and the place of every field of it. */
export interface Resource<T extends KubernetesObject = KubernetesObject> {
  /** `Kind/namespace/name`, or `Kind/name` for a cluster-scoped object. Unique in one set together with its API group. */
  readonly id: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  readonly object: T
  /** The folder under `layers/` that the file came from (`50-identity`); absent for workloads and other people's manifests. */
  readonly layer?: string
  /** The place of the field, or of its closest ancestor that is written. `[]` is the object itself. */
  position(path: FieldPath): Position
}

/** Something wrong with a manifest (error) or likely wrong (warning). */
export interface Diagnostic {
  readonly severity: 'error' | 'warning'
  /** Stable, for programs: `yaml.syntax`, `field.unknown`, `object.duplicate`, `selector.selects-nothing` ... */
  readonly code: string
  /** What happened, to what (quoted), the likely cause, what to do. */
  readonly message: string
  readonly at: Position
}

export interface LoadResult {
  readonly resources: readonly Resource[]
  readonly warnings: readonly Diagnostic[]
}
