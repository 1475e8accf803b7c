import type { FieldPath, Resource } from '@bulkhead/resources'
import type { Review } from '../../types.js'
import type { Dict } from './data.js'
import type { Budget } from './limits.js'
import type { Context } from './variables/context.js'

/** A rule as it is asked: the policy's own, or one that Kyverno makes of it for a pod's controllers. */
export interface Rule {
  readonly name: string
  /** As written; of a generated rule as Kyverno rewrites it. */
  readonly body: Dict
  /** Of the rule in the policy, also of a generated one. */
  readonly path: FieldPath
}

/** One rule of the policy, and what is generated of it. */
export interface RuleFamily {
  readonly own: Rule
  readonly derived: readonly Rule[]
}

export interface Policy {
  readonly resource: Resource
  readonly name: string
  /** Of a Policy: it is about objects of this namespace alone. */
  readonly namespace: string | undefined
  readonly spec: Dict
  readonly families: readonly RuleFamily[]
}

/** What a rule says of an object, before the policy's action makes an outcome of it. `none`: it had nothing to look at. */
export interface RuleAnswer {
  readonly status: 'pass' | 'fail' | 'error' | 'skip' | 'none' | 'excepted' | 'unknown'
  readonly message: string
  readonly path?: FieldPath
  readonly exception?: { readonly policy: string; readonly at: string }
}

/** Who asks, with the roles that bindings give him. */
export interface Roles {
  readonly roles: readonly string[]
  readonly clusterRoles: readonly string[]
}

/** One request as the rules of a policy see it. */
export interface Scene {
  readonly review: Review
  readonly policy: Policy
  readonly operation: string
  /** What is to be; null of a DELETE. */
  readonly object: Dict | null
  readonly oldObject: Dict | null
  readonly roles: Roles
  readonly context: Context
  readonly budget: Budget
}
