/** What the API answers, as far as the page shows it. */

export interface User {
  readonly id: string
  readonly username: string
  readonly roles: readonly string[]
  readonly status: number
  readonly version: number
}

export interface Policy {
  readonly permissionKey: string
  readonly self: boolean
  readonly k8sNamespace: string
  readonly policyNamespace: string
}

export interface Session {
  readonly user: User
  readonly permissions: readonly Policy[]
  readonly expiresAt: string
  readonly csrfToken?: string
}

export interface Selector {
  readonly key: string
  readonly value: string
}

export interface Strategy {
  readonly id: string
  readonly strategyNamespace: string
  readonly labelSelectors: readonly Selector[]
  readonly k8sNamespace: readonly string[]
  readonly commandRegex: string
  readonly priority: number
  readonly executionTime: number
  readonly version: number
  readonly createdTime: string
  readonly updatedTime: string
}

export interface Receipt {
  readonly id: string
  readonly intents: number
  readonly pushed: number
  readonly pending: number
}

export interface Intent {
  readonly id: string
  readonly strategyId: string
  readonly strategyNamespace: string
  readonly podId: string
  readonly podName: string
  readonly nodeId: string
  readonly k8sNamespace: string
  readonly commandRegex: string
  readonly priority: number
  readonly executionTime: number
  readonly podLabels: Readonly<Record<string, string>>
  readonly state: number
}

export interface Node {
  readonly name: string
  readonly status: string
}

export interface Scheduler {
  readonly node: string
  readonly podName: string
  readonly startedAt: string
  readonly lastSeen: string
  readonly stale: boolean
  readonly setVersion: number
  readonly intents: number
  readonly rootHash: string
  readonly expectedRoot: string
  readonly inSync: boolean
  readonly metrics?: Readonly<Record<string, number>>
}

export interface Process {
  readonly pid: number
  readonly command: string
  readonly ppid?: number
  readonly containerId?: string
}

export interface Processes {
  readonly pods: readonly {
    readonly podUid: string
    readonly podId?: string
    /** Absent where the Kubernetes API knows no pod of this UID. */
    readonly podName?: string
    readonly k8sNamespace?: string
    readonly processes: readonly Process[]
  }[]
  readonly timestamp: string
  readonly nodeName: string
}

export interface Role {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly rolePolicy: readonly Policy[]
  readonly builtIn: boolean
  readonly version: number
}

export interface Permission {
  readonly key: string
  readonly description: string
}

export interface AuditEntry {
  readonly id: string
  readonly timestamp: string
  readonly userId?: string
  readonly username?: string
  readonly action: string
  readonly target?: string
  readonly outcome: 'ok' | 'refused' | 'failed'
  readonly code?: string
  readonly requestId: string
  readonly ip: string
  readonly unnoted?: number
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | undefined
}
