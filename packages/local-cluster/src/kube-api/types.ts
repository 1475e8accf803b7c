/** Who asks, once that is known: a ServiceAccount, or nobody in particular. */
export interface User {
  /** `system:serviceaccount:<namespace>:<name>`, `system:anonymous` */
  readonly name: string
  readonly groups: readonly string[]
}

/** What is asked, as it is authorised: something of a resource, or a path that is none. */
export type RequestAttributes = ResourceRequest | PathRequest

export interface ResourceRequest {
  readonly kind: 'resource'
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection` */
  readonly verb: string
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
}

export interface PathRequest {
  readonly kind: 'path'
  /** The method in lower case. */
  readonly verb: string
  readonly path: string
}

export interface ApiMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid: string
  readonly creationTimestamp: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly deletionTimestamp?: string
  readonly deletionGracePeriodSeconds?: number
}

/** An object as it is served, but for the version that the store gives it. */
export interface ApiObject {
  readonly apiVersion: 'v1'
  readonly kind: 'Pod' | 'Node'
  readonly metadata: ApiMeta
  readonly spec: object
  readonly status: object
}

/** What is served, by the names that stand in paths. */
export type Served = 'pods' | 'nodes'

/** An object in the store. Never changed: a new state is a new one. */
export interface Stored {
  readonly resource: Served
  /** `namespace/name`, or the name. */
  readonly key: string
  readonly object: ApiObject & { readonly metadata: ApiMeta & { readonly resourceVersion: string } }
  /** `object` as JSON, for everybody who is sent it. */
  readonly json: string
}
