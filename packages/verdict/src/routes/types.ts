import type { Step } from '../types.js'

/** An HTTP request as a proxy has read it, before any filter has changed it. */
export interface HttpRequest {
  /** As sent; methods are case-sensitive. */
  readonly method: string
  /** The authority: the Host header, with its port if the client sent one. Empty when there is none. */
  readonly host: string
  /** The request line's path with its query: `/a/b?c=d`. */
  readonly path: string
  /** Names in lower case; the values of several lines of one name are joined by `,`. */
  readonly headers: Readonly<Record<string, string>>
}

/** What a modifier filter does to headers, in this order: remove, set, add (as Envoy does). Names in lower case. */
export interface HeaderChange {
  readonly set: readonly (readonly [name: string, value: string])[]
  readonly add: readonly (readonly [name: string, value: string])[]
  readonly remove: readonly string[]
}

/** One of the places that a matched rule sends requests to. */
export interface RouteBackend {
  /** `namespace/name` of the Service. */
  readonly service: string
  readonly port: number
  /** Its part of the sum of the rule's weights; 0 takes none. */
  readonly weight: number
  /** Absent: requests go there. Else: the reference cannot be used, and requests that it would take are answered 500. */
  readonly invalid?: string
  /** The backend's own filters, after those of the rule. */
  readonly requestHeaders: readonly HeaderChange[]
  readonly responseHeaders: readonly HeaderChange[]
}

/** What a gateway does with a request, apart from whether policy lets it. `step` says so, with the rule's place. */
export type RouteDecision =
  | {
      readonly kind: 'forward'
      readonly step: Step
      /** `HTTPRoute/namespace/name` */
      readonly route: string
      /** At least one of a weight above 0. */
      readonly backends: readonly RouteBackend[]
      /** With the rule's rewrites and header changes; a backend's own come on top of it. */
      readonly request: HttpRequest
      readonly responseHeaders: readonly HeaderChange[]
      /** Of the whole exchange, from the request's arrival; then 504. Absent: none. */
      readonly requestTimeoutMs?: number
      /** Of one try at a backend; then 504. */
      readonly backendTimeoutMs?: number
    }
  | {
      readonly kind: 'redirect'
      readonly step: Step
      readonly route: string
      readonly status: 301 | 302 | 303 | 307 | 308
      readonly location: string
      readonly responseHeaders: readonly HeaderChange[]
    }
  /** 404: no listener or route has the host, or no rule of those that have it matches. 500: a rule without a usable backend. */
  | { readonly kind: 'respond'; readonly step: Step; readonly route?: string; readonly status: 404 | 500 }
  /** Something that decides here is not modelled: not forwarded, answered 500. */
  | { readonly kind: 'unknown'; readonly step: Step }

/** A Gateway that the engine reads (class `istio`), with what istiod makes of it. */
export interface GatewayModel {
  /** `namespace/name` of the Gateway. */
  readonly key: string
  /** `Gateway/namespace/name` */
  readonly id: string
  readonly layer?: string
  readonly at: string
  /** `namespace/name` of the generated Deployment, Service and ServiceAccount: `<name>-istio`, unless overridden. */
  readonly workload: string
  readonly listeners: readonly ListenerModel[]
}

export interface ListenerModel {
  readonly name: string
  readonly port: number
  readonly protocol: string
  /** Absent: every host. `*.example.org`: every name below. */
  readonly hostname?: string
  readonly at: string
  /** Host names that routes attached to it answer for, sorted; `*` for any. For people and for examples. */
  readonly hosts: readonly string[]
}

/** A Gateway of class `istio-waypoint` that the engine reads, with what istiod makes of it. */
export interface WaypointModel {
  /** `namespace/name` of the Gateway. */
  readonly key: string
  /** `Gateway/namespace/name` */
  readonly id: string
  readonly layer?: string
  readonly at: string
  /** `namespace/name` of the generated Deployment, Service and ServiceAccount: the Gateway's own. */
  readonly workload: string
  /** `istio.io/waypoint-for`: for destinations that were addressed so. */
  readonly serves: 'service' | 'workload' | 'all' | 'none'
}
