import type { KubernetesObject, Resource } from '@bulkhead/resources'
import type { Engine, ReasonCode } from '../types.js'

/*
 * What may be created at all: the API server's admission chain, as far as policies decide in it. A request goes by the
 * mutating policies first, then by Pod Security, ValidatingAdmissionPolicy and Kyverno's validating policies; when all
 * let it in, the generating ones make their objects (semantics 0 and E).
 */

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

/** Who asks, as `request.userInfo` has it. */
export interface Requester {
  /** `kubernetes-admin`, `system:serviceaccount:istio-system:istiod` ... */
  readonly username: string
  readonly groups: readonly string[]
  readonly uid?: string
}

export interface AdmissionRequest {
  readonly operation: Operation
  /** What is to be; of a DELETE what is there. */
  readonly object: Resource
  /** What is there now, of an UPDATE. */
  readonly oldObject?: KubernetesObject
  /** `ephemeralcontainers`, as `kubectl debug` uses it. */
  readonly subResource?: string
  /** Default: the administrator that kubectl usually is. */
  readonly user?: Requester
}

/**
 * What became of one policy's rule. `allow`: it looked and has nothing against it. `warn` and `audit`: it has, and lets it
 * in. `not-applicable`: it does not match, or an exception holds. `unknown`: something of it is not modelled.
 */
export type AdmissionOutcome = 'allow' | 'deny' | 'warn' | 'audit' | 'not-applicable' | 'unknown'

/** One policy's (or one of its rules') word. Absent instead of null; the keys are written in this order. */
export interface AdmissionStep {
  readonly engine: Extract<Engine, 'psa' | 'vap' | 'kyverno'>
  readonly does: 'validate' | 'mutate' | 'generate'
  /** The folder under k8s/layers that the policy came from. */
  readonly layer?: string
  readonly outcome: AdmissionOutcome
  readonly code: ReasonCode
  /** `Kind/name` or `Kind/namespace/name` of the policy; for Pod Security `Namespace/<name>`, whose labels decide. */
  readonly policy?: string
  /** The rule's name (`autogen-` included); for Pod Security the level and version, `restricted:latest`. */
  readonly rule?: string
  /** `file:line` of the rule, the expression or the label. */
  readonly at?: string
  /** As the policy words it, with nothing around it. */
  readonly message?: string
  /** The field of the object that it is about, as a JSON pointer without escapes: `/spec/containers/0/securityContext/runAsUser`. */
  readonly path?: string
  /** `file:line:column` of that field, or of its closest ancestor that is written. */
  readonly objectAt?: string
  /** What excepted it: `PolicyException/kyverno/scheduler-host-path`. */
  readonly exception?: { readonly policy: string; readonly at: string }
  /** What else the sentence of this code needs. */
  readonly facts?: Readonly<Record<string, string | number>>
}

export interface Admission {
  /** `allow` also with warnings. `unknown`: nothing denies, and something that may is not modelled; it is then not admitted. */
  readonly outcome: 'allow' | 'deny' | 'unknown'
  /** Index of the first step that denies, or is unknown, in the chain's order. */
  readonly decidedBy?: number
  readonly steps: readonly AdmissionStep[]
  /** What the API server answers, word for word, without kubectl's `Error from server (Forbidden): `. All policies are asked, but the first gate that refuses answers. */
  readonly refusal?: { readonly status: number; readonly reason: string; readonly message: string }
  /** What kubectl prints after `Warning: `. */
  readonly warnings: readonly string[]
  /** As it is stored: mutated where a policy did so. Positions of what was added are those of the closest ancestor that is written. */
  readonly object: Resource
  /** Objects that generating policies make of it, in order. Their lines are the policy's. */
  readonly generated: readonly GeneratedResource[]
  /** What is then said of the pod that a workload's controller would create; absent for what has none, and when the workload itself is refused. */
  readonly pod?: Admission
}

export interface GeneratedResource extends Resource {
  /** The policy, by id, that it goes with: one that synchronizes what it makes, and does not leave it behind as an orphan. */
  readonly goesWith?: string
}

export interface AdmissionOptions {
  /** PolicyExceptions count in this namespace alone (Kyverno's `--exceptionNamespace`). Default `kyverno`; `*` is every one. */
  readonly exceptionNamespace?: string
  /** Levels where a namespace's labels say none. Default privileged. */
  readonly podSecurity?: { readonly enforce?: string; readonly audit?: string; readonly warn?: string }
}

/** Compiled once, asked often. Immutable. */
export interface AdmissionPolicies {
  /** Every object that policies may look up (`resource.Get`, `namespaceObject`, a policy's parameters). */
  readonly resources: readonly Resource[]
  /** Policies, or fields of them, that are not modelled. */
  readonly notModelled: readonly { readonly id: string; readonly what: string; readonly at: string }[]
}

/**
 * Reads every policy among the objects: Kyverno's (policies.kyverno.io and kyverno.io), ValidatingAdmissionPolicy with its
 * bindings, Pod Security labels of namespaces. Throws CompileError (with file:line) for one that a cluster would refuse.
 */
export type CompileAdmission = (resources: readonly Resource[], options?: AdmissionOptions) => AdmissionPolicies
export type Admit = (request: AdmissionRequest, policies: AdmissionPolicies) => Admission

/*
 * Inside: one compiled policy is a Reviewer. admit.ts calls the reviewers of each phase in order.
 */

/** What a policy can look at. */
export interface Review {
  readonly request: Required<Pick<AdmissionRequest, 'operation' | 'user'>> & AdmissionRequest
  /** As it is now: mutating policies that came before have been at it. Plain data, frozen. */
  readonly object: Readonly<Record<string, unknown>>
  readonly oldObject: Readonly<Record<string, unknown>> | null
  /** `pods`, `deployments` ...: the kind's resource. */
  readonly resource: string
  readonly namespace: string | undefined
  /** Of the object's namespace, with `kubernetes.io/metadata.name`. Of a Namespace its own. */
  readonly namespaceLabels: Readonly<Record<string, string>>
  readonly namespaceObject: Readonly<Record<string, unknown>> | null
  /** An object of the set, by `apiVersion`, plural resource, namespace ('' for the cluster's) and name. */
  get(
    apiVersion: string,
    resource: string,
    namespace: string,
    name: string,
  ): Readonly<Record<string, unknown>> | undefined
  list(apiVersion: string, resource: string, namespace: string): readonly Readonly<Record<string, unknown>>[]
  /** `file:line:column` of a field of the object. */
  objectAt(path: readonly (string | number)[]): string
}

export interface Reviewer {
  /** `Kind/name`, for sorting: Kyverno asks policies by name. */
  readonly policy: string
  readonly engine: AdmissionStep['engine']
  readonly does: AdmissionStep['does']
  review(review: Review): Reviewed
}

/** What some kinds of policies among the objects come to. */
export type ReadPolicies = (
  resources: readonly Resource[],
  options: AdmissionOptions,
) => { readonly reviewers: readonly Reviewer[]; readonly notModelled: AdmissionPolicies['notModelled'] }

export interface Reviewed {
  readonly steps: readonly AdmissionStep[]
  /** Of a mutating policy: the object after it, where it changed it. */
  readonly object?: Readonly<Record<string, unknown>>
  /** Of a generating policy: whole objects. */
  readonly generated?: readonly KubernetesObject[]
  /** Those of them that go with the policy. */
  readonly going?: readonly KubernetesObject[]
}
