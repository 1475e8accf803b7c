import type { Pod as PodObject, Resource } from '@bulkhead/resources'
import type { GatewayModel, WaypointModel } from './routes/types.js'
import type { EvidenceAt, Flow, NodeModel, Platform, Pod, Protocol, ServiceModel, Verdict, VerdictAt } from './types.js'

/** What a DNS name means to a pod. `name` is the fully qualified form that matched. */
export type NameAnswer =
  | { readonly kind: 'service'; readonly name: string; readonly service: ServiceModel }
  /** A name that the cluster does not know: asked of kube-dns, and beyond. */
  | { readonly kind: 'external'; readonly name: string }
  /** A name under the cluster's domain that nothing has. */
  | { readonly kind: 'none'; readonly name: string }

/** What is compiled once and asked often. Immutable. */
export interface Snapshot {
  readonly resources: readonly Resource[]
  readonly nodes: readonly NodeModel[]
  readonly pods: ReadonlyMap<string, Pod>
  /** Not among `nodes`, `pods` and `services`; `podByIp`, `serviceByIp` and `resolveName` know them. */
  readonly platform: Platform
  readonly services: ReadonlyMap<string, ServiceModel>
  /** By `namespace/name` of the Gateway. */
  readonly gateways: ReadonlyMap<string, GatewayModel>
  /** By `namespace/name` of the Gateway. */
  readonly waypoints: ReadonlyMap<string, WaypointModel>
  /**
   * The waypoints that have been ready once. Traffic goes by these, also when no pod of theirs is left, and fails then;
   * past all others it goes as if there were none (semantics C.7).
   */
  readonly waypointsReadyOnce: ReadonlySet<string>
  podByIp(ip: string): Pod | undefined
  serviceByIp(ip: string): ServiceModel | undefined
  /** As the pod's resolver would, with its search domains: `web-api`, `web-api.shop`, `web-api.shop.svc`, `web-api.shop.svc.cluster.local`. */
  resolveName(name: string, namespace: string): NameAnswer
  /** The container's port behind a Service's port on that pod (named ports resolve per pod). `protocol` is TCP by default. */
  targetPort(service: ServiceModel, port: number, pod: Pod, protocol?: Protocol): number | undefined
  /** Objects and fields that decide something here and are not modelled. */
  readonly notModelled: readonly { readonly id: string; readonly what: string; readonly at: string }[]
}

export interface CompileOptions {
  /** Pods and Services that were there keep their addresses, names and nodes. */
  readonly previous?: Snapshot
  /**
   * Pods of `previous` that no object asks for any more and that are still there, as an old pod is until the one that
   * replaces it is ready. They keep everything: addresses, policies, and their place behind Services.
   */
  readonly lingering?: readonly Pod[]
  /**
   * Workloads (`namespace/name`, of a Gateway its Deployment) whose controllers may create no pods. They are there, and
   * nothing runs for them but what lingers.
   */
  readonly podless?: ReadonlySet<string>
  /**
   * What istiod made of Gateways before, where the API server refuses what it makes of them now: a ServiceAccount, Deployment
   * or Service of that name stays as it is here, for as long as its Gateway has one.
   */
  readonly kept?: readonly Resource[]
  /**
   * Waypoints (`namespace/name` of the Gateway) that have been ready once. Default: those of `previous`, and every one
   * whose Deployment has replicas.
   */
  readonly waypointsReadyOnce?: ReadonlySet<string>
  /** Default bulkhead-worker and bulkhead-worker2. Those of a running cluster have addresses of their own: workers first. */
  readonly nodes?: readonly (string | NodeModel)[]
  /** The pods that a running cluster has. With them none is derived from workloads, and each is where it really is. */
  readonly running?: readonly RunningPod[]
  readonly trustDomain?: string
  readonly rootNamespace?: string
  /** What enforces the network layers. */
  readonly network?: NetworkOptions
}

/** A pod of a running cluster, with the place and the address that it was given there. */
export interface RunningPod {
  readonly resource: Resource<PodObject>
  /** Name of the Deployment (or other owner); of a bare pod its own. */
  readonly workload: string
  readonly node: string
  readonly ip: string
}

export interface NetworkOptions {
  /**
   * Who reads NetworkPolicy: Cilium, which the manifests are written for (an ipBlock never matches a pod or a node), or
   * a plugin that follows the API to the letter (it does). Default `cilium`. Cilium's own kinds are read either way.
   */
  readonly reader?: 'cilium' | 'api'
  /** Cilium's agent mode. Default `default`: pods are isolated by the policies that select them. */
  readonly enforcement?: 'default' | 'always' | 'never'
}

export type Compile = (resources: readonly Resource[], options?: CompileOptions) => Snapshot
/** What one point says, of what that point could have learned. The mesh calls only this. */
export type JudgeAt = <P extends keyof EvidenceAt>(
  point: P,
  evidence: EvidenceAt[P],
  snapshot: Snapshot,
) => VerdictAt[P]
/** Plans the hops of the flow's connection and folds judgeAt over them. Throws FlowError for a flow that names nothing real. */
export type Judge = (flow: Flow, snapshot: Snapshot) => Verdict
