/** A process of a pod. */
export interface PodProcess {
  readonly pid: number
  /** `comm`: at most 15 characters, and whatever the process likes. */
  readonly command: string
  readonly ppid: number
  readonly containerId?: string
  /** Tells it from a later one of the same number. */
  readonly startTime: string
}

/** What runs on the node, at one time. */
export interface NodeProcesses {
  /** Milliseconds since 1970. */
  readonly at: number
  /** By pod UID, those by name; each with its processes by number. */
  readonly pods: ReadonlyMap<string, readonly PodProcess[]>
  /** Processes that could not be read though they were there. */
  readonly denied: number
}

export interface ProcessSource {
  /** What runs, as of a moment ago. @throws Error when the folder itself cannot be read */
  read(): Promise<NodeProcesses>
}
