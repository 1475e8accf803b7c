/* What the model is about. Things are known by their place in the world's lists, where those that are gone stay, too. */

export interface Policy {
  readonly permissionKey: string
  readonly self: boolean
  readonly k8sNamespace: string
  readonly policyNamespace: string
}

export interface Role {
  name: string
  description: string
  policies: readonly Policy[]
  readonly builtIn: boolean
  version: number
  gone: boolean
}

export interface User {
  readonly name: string
  password: string
  status: number
  roles: readonly Role[]
  version: number
  /** Counts what ends sessions. */
  era: number
}

/** What strategies ask of pods, and how those are scheduled. */
export interface Plan {
  readonly strategyNamespace: string
  readonly labelSelectors: readonly { readonly key: string; readonly value: string }[]
  readonly k8sNamespace: readonly string[]
  readonly commandRegex: string
  readonly priority: number
  readonly executionTime: number
}

export interface Strategy {
  readonly owner: User
  plan: Plan
  version: number
  gone: boolean
}

export interface Intent {
  readonly strategy: Strategy
  readonly plan: Plan
  readonly pod: Pod
  state: number
  gone: boolean
}

export interface Pod {
  readonly name: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly command: string
  /** Empty: on no node yet. */
  readonly node: string
  /** The ServiceAccount that makes it a scheduler; absent: it is none, whatever it is called. */
  readonly account?: string
}

/** What somebody shows when he calls: what he was given at a login, or what is worth nothing. */
export type Ticket =
  | { readonly user: User; readonly era: number; readonly mustChange: boolean }
  | 'none'
  | 'malformed'
  | 'forged'
  | 'expired'
  | 'of nobody'
  | Assertion

/** What the scheduler of a node shows: it is no user. */
export interface Assertion {
  readonly scheduler: string
}

/** An entry of the audit log. */
export interface Entry {
  readonly username: string | undefined
  readonly action: string
  readonly outcome: 'ok' | 'refused' | 'failed'
  readonly code: string | undefined
}
