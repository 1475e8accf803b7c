import type { LabelSelector } from './kinds.js'
import type { KubernetesObject } from './types.js'

/*
 * Gateway API, as gateway.networking.k8s.io/v1 of the pinned release has it. Defaults are not filled in: a field that is
 * not written is missing here too, and its reader says what that means.
 */

/** Which namespaces' routes may attach; missing means Same. */
export interface RouteNamespaces {
  readonly from?: 'All' | 'Selector' | 'Same'
  readonly selector?: LabelSelector
}

export interface GatewayListener {
  readonly name: string
  readonly port: number
  /** HTTP, HTTPS, TLS, TCP, UDP, or a name of an implementation's own. */
  readonly protocol: string
  /** Missing: every host. `*.example.org`: every name below. */
  readonly hostname?: string
  readonly tls?: Readonly<Record<string, unknown>>
  readonly allowedRoutes?: {
    readonly namespaces?: RouteNamespaces
    readonly kinds?: readonly { readonly group?: string; readonly kind: string }[]
  }
}

/** gateway.networking.k8s.io/v1 Gateway. */
export interface Gateway extends KubernetesObject {
  readonly kind: 'Gateway'
  readonly spec: {
    readonly gatewayClassName: string
    readonly listeners: readonly GatewayListener[]
    readonly addresses?: readonly { readonly type?: string; readonly value?: string }[]
    readonly infrastructure?: {
      readonly labels?: Readonly<Record<string, string>>
      readonly annotations?: Readonly<Record<string, string>>
      readonly parametersRef?: { readonly group: string; readonly kind: string; readonly name: string }
    }
    readonly allowedListeners?: Readonly<Record<string, unknown>>
    readonly tls?: Readonly<Record<string, unknown>>
  }
}

/** gateway.networking.k8s.io/v1 GatewayClass: cluster-scoped. */
export interface GatewayClass extends KubernetesObject {
  readonly kind: 'GatewayClass'
  readonly spec: { readonly controllerName: string }
}

/** gateway.networking.k8s.io/v1 and v1beta1 ReferenceGrant: lies in the namespace that is referred to. */
export interface ReferenceGrant extends KubernetesObject {
  readonly kind: 'ReferenceGrant'
  readonly spec: {
    readonly from: readonly { readonly group: string; readonly kind: string; readonly namespace: string }[]
    /** Without a name: every object of that kind. */
    readonly to: readonly { readonly group: string; readonly kind: string; readonly name?: string }[]
  }
}

export interface ParentReference {
  readonly group?: string
  readonly kind?: string
  readonly namespace?: string
  readonly name: string
  readonly sectionName?: string
  readonly port?: number
}

export interface HttpPathMatch {
  readonly type?: 'Exact' | 'PathPrefix' | 'RegularExpression'
  readonly value?: string
}

/** A header or a query parameter. */
export interface HttpNamedMatch {
  readonly type?: 'Exact' | 'RegularExpression'
  readonly name: string
  readonly value: string
}

export interface HttpRouteMatch {
  readonly path?: HttpPathMatch
  readonly headers?: readonly HttpNamedMatch[]
  readonly queryParams?: readonly HttpNamedMatch[]
  readonly method?: string
}

export interface HttpHeaderModifier {
  readonly set?: readonly { readonly name: string; readonly value: string }[]
  readonly add?: readonly { readonly name: string; readonly value: string }[]
  readonly remove?: readonly string[]
}

export type HttpPathModifier =
  | { readonly type: 'ReplaceFullPath'; readonly replaceFullPath: string }
  | { readonly type: 'ReplacePrefixMatch'; readonly replacePrefixMatch: string }

export interface HttpRequestRedirect {
  readonly scheme?: 'http' | 'https'
  readonly hostname?: string
  readonly path?: HttpPathModifier
  readonly port?: number
  readonly statusCode?: 301 | 302 | 303 | 307 | 308
}

export interface HttpUrlRewrite {
  readonly hostname?: string
  readonly path?: HttpPathModifier
}

/** One of several filters: the field named as its `type` is the one that is set. */
export interface HttpRouteFilter {
  readonly type: string
  readonly requestHeaderModifier?: HttpHeaderModifier
  readonly responseHeaderModifier?: HttpHeaderModifier
  readonly requestRedirect?: HttpRequestRedirect
  readonly urlRewrite?: HttpUrlRewrite
}

export interface HttpBackendRef {
  readonly group?: string
  readonly kind?: string
  readonly namespace?: string
  readonly name: string
  readonly port?: number
  /** Missing: 1. */
  readonly weight?: number
  readonly filters?: readonly HttpRouteFilter[]
}

export interface HttpRouteRule {
  readonly name?: string
  /** Missing or empty: one match, every path. */
  readonly matches?: readonly HttpRouteMatch[]
  readonly filters?: readonly HttpRouteFilter[]
  readonly backendRefs?: readonly HttpBackendRef[]
  /** Durations of Gateway API: `10s`, `1m30s`; `0s` means none. */
  readonly timeouts?: { readonly request?: string; readonly backendRequest?: string }
}

/** gateway.networking.k8s.io/v1 HTTPRoute. */
export interface HttpRoute extends KubernetesObject {
  readonly kind: 'HTTPRoute'
  readonly spec: {
    readonly parentRefs?: readonly ParentReference[]
    readonly hostnames?: readonly string[]
    /** Missing: one rule without a backend. */
    readonly rules?: readonly HttpRouteRule[]
  }
}
