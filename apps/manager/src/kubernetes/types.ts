/** A pod of the Kubernetes API, as far as the manager reads it. */
export interface PodView {
  readonly uid: string
  readonly name: string
  readonly namespace: string
  /** Empty while it is on none. */
  readonly nodeName: string
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'
  readonly podIP: string
  readonly hostIP: string
  readonly serviceAccount: string
  readonly labels: Readonly<Record<string, string>>
  readonly containers: readonly {
    readonly name: string
    /** `command` and `args` of its spec, joined by spaces; empty when the image's own are used. */
    readonly commandLine: string
    readonly ports: readonly number[]
  }[]
}

export interface NodeView {
  readonly name: string
  readonly status: 'Ready' | 'NotReady' | 'Unknown'
}

/** What the Kubernetes API says of pods and nodes, kept up to date by watches. */
export interface ClusterView {
  /** False until both lists were read once, and while they cannot be: then what is here may be old. */
  readonly synced: boolean
  pods(): Iterable<PodView>
  nodes(): readonly NodeView[]
  /** For /readyz: why it is not synced. */
  readonly problem: string | undefined
  close(): Promise<void>
}
