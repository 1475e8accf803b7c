import type { Gateway, Resource } from '@bulkhead/resources'
import type { ServiceModel, Step } from '../types.js'
import type { HostTable } from './hosts.js'
import type { Ranked } from './precedence.js'
import type { Act } from './rule.js'
import type { ListenerModel } from './types.js'

/** What routes are compiled from. */
export interface RouteSources {
  readonly resources: readonly Resource[]
  /** Whether a backend's Service is there and has the port. By `namespace/name`. */
  readonly services: ReadonlyMap<string, ServiceModel>
  /** By name, with `kubernetes.io/metadata.name`: for listeners that let routes in by their namespace's labels. */
  readonly namespaceLabels: ReadonlyMap<string, Readonly<Record<string, string>>>
}

/** Every Gateway's routes, ready to be asked. Immutable. */
export interface RouteIndex {
  readonly gateways: ReadonlyMap<string, GatewayRoutes>
  /** The Gateway's listeners with the hosts that routes answer for there; empty for a Gateway that is not there. */
  listeners(gateway: string): readonly ListenerModel[]
  /** Fields and objects that decide over routes and are not modelled; requests that they would decide are `unknown`. */
  readonly notModelled: readonly { readonly id: string; readonly what: string; readonly at: string }[]
}

export interface GatewayRoutes {
  readonly resource: Resource<Gateway>
  /** `file:line` of it. */
  readonly at: string
  readonly listeners: readonly ListenerModel[]
  readonly ports: ReadonlyMap<number, PortRoutes>
}

export interface PortRoutes {
  /** Exactly one listener has a request: the one whose hostname is the most specific. */
  readonly listeners: HostTable<ListenerRoutes>
  /** Host patterns of all its listeners' routes, for people. */
  readonly has: string
  /** Why nothing can be said of this port. */
  readonly unknown?: Step
}

export interface ListenerRoutes {
  readonly at: string
  readonly hosts: HostTable<HostRoutes>
  readonly unknown?: Step
}

/** What Envoy calls a virtual host: one has a request, and if none of its matches does, no other is asked. */
export interface HostRoutes {
  /** In the order of precedence. */
  readonly matches: readonly RankedAct[]
  readonly unknown?: Step
}

export interface RankedAct extends Ranked {
  readonly act: Act
}
