import type { HttpRequest, RouteDecision } from './routes/types.js'
import type { Symptom } from './symptoms.js'

/** Where a rule is enforced. */
export type Point = 'admission' | 'cni-egress' | 'cni-ingress' | 'ztunnel' | 'waypoint' | 'gateway'
/** Whose rules are read there. */
export type Engine = 'kubernetes' | 'cilium' | 'istio' | 'gateway-api' | 'kyverno' | 'psa' | 'vap'
export type Protocol = 'TCP' | 'UDP' | 'SCTP' | 'ICMP'
export type Outcome = 'allow' | 'deny' | 'unknown'
export type StepOutcome = Outcome | 'not-applicable'
/** What a caller shows at a pod's HBONE port instead of its own certificate. */
export type ForgedCertificate = 'none' | 'self-signed' | 'expired' | 'other-domain' | 'stolen'

/** A pod as the network and the mesh see it. */
export interface Pod {
  /** `namespace/name`, unique. */
  readonly key: string
  readonly namespace: string
  readonly name: string
  /** `namespace/name` of the Deployment (or other owner); the pod's own key for a bare Pod. */
  readonly workload: string
  readonly labels: Readonly<Record<string, string>>
  readonly serviceAccount: string
  /** `spiffe://<trust domain>/ns/<namespace>/sa/<service account>` */
  readonly identity: string
  /** Captured by ztunnel: the namespace or the pod says `istio.io/dataplane-mode: ambient`, the pod does not say `none`, and it is not hostNetwork. */
  readonly mesh: boolean
  readonly hostNetwork: boolean
  readonly node: string
  readonly ip: string
  readonly ports: readonly { readonly name?: string; readonly port: number; readonly protocol: Protocol }[]
  /**
   * `namespace/name` of the Gateway whose proxy this is. Such a pod is not captured (`mesh` is false), and speaks HBONE
   * to captured pods itself, as its own ServiceAccount (semantics C.1, C.7).
   */
  readonly gateway?: string
  /**
   * `namespace/name` of the Gateway (class istio-waypoint) whose proxy this is. Neither captured (`mesh` is false) nor under
   * ztunnel's policies; what comes to its port 15008 shows a certificate (semantics C.7).
   */
  readonly waypoint?: string
}

export interface ServiceModel {
  readonly key: string
  readonly namespace: string
  readonly name: string
  /** Absent for a headless Service: its name resolves to the pods' addresses. */
  readonly clusterIP?: string
  readonly ports: readonly {
    readonly name?: string
    readonly port: number
    readonly targetPort: number | string
    readonly protocol: Protocol
    /** Of a Service of type NodePort or LoadBalancer, where the manifest pins it. */
    readonly nodePort?: number
    /** What a waypoint takes it for, by `appProtocol` or the port's name. Absent: it finds out from the first bytes (C.7). */
    readonly application?: 'http' | 'tcp'
  }[]
  /** Reached from outside the cluster: type NodePort or LoadBalancer. */
  readonly external: boolean
  /** Keys of the pods that its selector selects, sorted. */
  readonly endpoints: readonly string[]
}

export interface NodeModel {
  readonly name: string
  readonly ip: string
}

/** What every cluster has and no manifest of ours holds. Where the manifests do hold one of them, theirs counts. */
export interface Platform {
  /** CoreDNS, behind Service kube-system/kube-dns (10.96.0.10): `k8s-app: kube-dns`, not in the mesh, port 53. */
  readonly dns: Pod
  /** istio-system/istiod: `app: istiod`, not in the mesh, port 15012. */
  readonly istiod: Pod
  /** The control plane's node. The API server answers there on 6443; Service default/kubernetes:443 (10.96.0.1) leads to it. */
  readonly controlPlane: NodeModel
}

/** A pod that is not in the manifests. Captured as istio-cni would by its labels, unless `mesh` says. */
export interface DescribedPod {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly serviceAccount?: string
  readonly ip?: string
  readonly mesh?: boolean
}

export type FlowSource =
  | { readonly workload: string; readonly node?: string }
  | (DescribedPod & { readonly hostNetwork?: boolean })
  | { readonly external: string }
  | { readonly node: string }

export type FlowDestination =
  | { readonly service: string }
  | { readonly workload: string }
  | (DescribedPod & {
      readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol?: Protocol }[]
    })
  | { readonly host: string; readonly ip?: string }
  | { readonly ip: string }
  | { readonly node: string }

/** Who wants what. `port` is the Service's for a service, else the container's. */
export interface Flow {
  readonly id?: string
  readonly from: FlowSource
  readonly to: FlowDestination
  readonly port: number
  readonly protocol?: Protocol
  readonly http?: {
    readonly method: string
    readonly path: string
    readonly host?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly claims?: Readonly<Record<string, unknown>>
  }
  readonly tls?: { readonly sni?: string }
  readonly dns?: { readonly query: string }
  readonly certificate?: ForgedCertificate
}

export interface Tuple {
  readonly src: string
  readonly dst: string
  readonly port: number
  readonly protocol: Protocol
}

/** What one set of rules at one point says. Absent instead of null; the keys are written in this order. */
export interface Step {
  /** Index into the verdict's hops. */
  readonly hop: number
  readonly point: Point
  readonly engine: Engine
  /** The folder under k8s/layers that the deciding object came from. */
  readonly layer?: string
  readonly outcome: StepOutcome
  /** From the closed list in reasons.ts. */
  readonly code: ReasonCode
  /** `Kind/namespace/name` of the object that decided. */
  readonly policy?: string
  /** Index of the rule in it. */
  readonly rule?: number
  /** `file:line` of the rule. */
  readonly at?: string
  /** For a default deny: every policy that isolates the destination. It accuses none of them. */
  readonly isolatedBy?: readonly { readonly policy: string; readonly layer?: string; readonly at: string }[]
  /** For a deny by default: the rule that came closest to allowing, and what it lacks. */
  readonly closest?: Closest
  /** What else the sentence of this code needs (the identity, the port ...), quoted in it. */
  readonly facts?: Readonly<Record<string, string | number>>
}

export interface Closest {
  readonly policy: string
  readonly rule: number
  readonly at: string
  /** Every attribute that did not match: its name, what the rule wants, what the flow has. */
  readonly lacks: readonly { readonly attribute: string; readonly wants: readonly string[]; readonly has: string }[]
}

export interface Hop {
  readonly from: string
  readonly to: string
  readonly tuple: Tuple
  /** The identity that the far side reads from the certificate; absent for plaintext. */
  readonly as?: string
}

export interface Verdict {
  readonly id?: string
  readonly outcome: Outcome
  /** The first deny in the path's order; absent when nothing denies. `step` indexes `steps`. */
  readonly decidedBy?: { readonly hop: number; readonly step: number }
  readonly symptom: Symptom
  readonly hops: readonly Hop[]
  readonly steps: readonly Step[]
  readonly text: string
}

/** What one enforcement point says, with the rules behind it. `hop` of its steps is 0. */
export interface PointVerdict {
  readonly point: Point
  readonly outcome: Outcome
  readonly steps: readonly Step[]
}

/** What a destination's ztunnel can have learned: the verified certificate, or only the address. */
export interface ZtunnelEvidence {
  readonly destination: Pod
  /** The container's port. */
  readonly port: number
  readonly peer: { readonly ip: string; readonly identity?: string }
}

/** What a CNI sees of a packet. `pod` is the one whose policies are asked. */
export interface CniEvidence {
  readonly pod: Pod
  readonly peer: Pod | { readonly ip: string }
  readonly tuple: Tuple
  /**
   * Of `cni-egress` to an address outside: the names for which this pod was given that address by lookups that a DNS rule
   * let through. Cilium's `toFQDNs` knows an address only so (semantics B.6). Lower case, without the last dot.
   */
  readonly learned?: readonly string[]
  /** What the connection carries, as far as it has been read. Absent: nothing has been read yet. */
  readonly payload?: Payload
}

/** What a CNI's proxy reads of a connection before it lets it on (semantics B.7). */
export type Payload =
  /** A ClientHello; `sni` is absent when it names no server. */
  | { readonly kind: 'tls'; readonly sni?: string }
  /** `headers` by lower-case name; `path` with its query. */
  | {
      readonly kind: 'http'
      readonly method: string
      readonly path: string
      readonly host: string
      readonly headers: Readonly<Record<string, string>>
    }
  /** A question; the name in lower case, without the last dot. */
  | { readonly kind: 'dns'; readonly query: string }
  /** Bytes that are none of these. */
  | { readonly kind: 'other' }

/** A CNI's word on a packet, or on the connection that it opens. */
export interface CniVerdict extends PointVerdict {
  readonly point: 'cni-egress' | 'cni-ingress'
  /**
   * The packet passes, and a proxy of the CNI reads what follows: ask again with a `payload` before anything is let on.
   * Also there when asked with the payload. A name that was answered where it is `dns` is learned.
   */
  readonly reads?: 'tls' | 'http' | 'dns'
}

/** What a gateway's proxy knows of a request when it asks its policies and its routes. */
export interface GatewayEvidence {
  /** The gateway's own pod. */
  readonly gateway: Pod
  /** The port of its that the request came in at: the listener's. */
  readonly port: number
  /** Callers of a gateway come as plaintext, so they have an address and no identity. */
  readonly peer: { readonly ip: string; readonly identity?: string }
  readonly request: HttpRequest
}

/** A gateway's word on a request: first its AuthorizationPolicies, then its routes, as Envoy's filters are ordered. */
export interface RequestVerdict extends PointVerdict {
  readonly point: 'gateway'
  /** What the routes say, also for a request that is denied. */
  readonly decision: RouteDecision
}

/** What a waypoint's proxy knows of a connection, or of a request on it, when it asks its policies. */
export interface WaypointEvidence {
  /** The waypoint's own pod. */
  readonly waypoint: Pod
  /** The address on the wire, and the identity of the verified certificate: nobody comes in without one. */
  readonly peer: { readonly ip: string; readonly identity: string }
  /** How the caller addressed the destination: by a Service and its port, or by a pod and its container's port. */
  readonly to: { readonly service: ServiceModel; readonly port: number } | { readonly pod: Pod; readonly port: number }
  /** Absent where the connection carries no HTTP: policies are asked once, for all of it. */
  readonly request?: HttpRequest
}

/** A waypoint's word on a request or a connection. */
export interface WaypointVerdict extends PointVerdict {
  readonly point: 'waypoint'
}

export interface EvidenceAt {
  readonly waypoint: WaypointEvidence
  readonly gateway: GatewayEvidence
  readonly ztunnel: ZtunnelEvidence
  readonly 'cni-egress': CniEvidence
  readonly 'cni-ingress': CniEvidence
}

/** What each point answers with. A gateway says more than whether: where to. */
export interface VerdictAt {
  readonly waypoint: WaypointVerdict
  readonly gateway: RequestVerdict
  readonly ztunnel: PointVerdict
  readonly 'cni-egress': CniVerdict
  readonly 'cni-ingress': CniVerdict
}

export type { ReasonCode } from './reasons.js'

import type { ReasonCode } from './reasons.js'
