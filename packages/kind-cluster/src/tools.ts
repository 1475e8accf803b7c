/** The programs of this machine that a cluster is made and asked with; `npm` and `curl` for a bundle. */
export type ToolName = 'docker' | 'kind' | 'kubectl' | 'helm' | 'cilium' | 'istioctl' | 'npm' | 'node' | 'curl'

/** One command line. It is data: the plan prints it, tests read it, and the same is run. */
export interface Command {
  readonly tool: ToolName
  readonly args: readonly string[]
  /** Text for its stdin. */
  readonly stdin?: string
  /** Its stdin, or its output, holds what is nobody's business: neither is logged or printed. */
  readonly secret?: boolean
  /** After this it is ended, with all that it has started. */
  readonly timeoutMs: number
  /**
   * What takes back what it has done when it is asked to end has so long for that, and is asked to by whoever exits. Default: a few
   * seconds, and with who exits it is killed.
   */
  readonly graceMs?: number
  /** Working directory. Default: the clone. */
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** How a command ended. A code that is not 0 is no exception: what it means is the caller's to say. */
export interface CommandResult {
  readonly command: Command
  /** Undefined when it was ended by a signal. */
  readonly code: number | undefined
  /** Which signal that was. SIGKILL that is not ours: most likely the machine ran out of memory. */
  readonly signal?: NodeJS.Signals
  readonly stdout: string
  readonly stderr: string
  readonly durationMs: number
}

export interface RunOptions {
  readonly signal?: AbortSignal
  /** Told each line of stdout and stderr as it comes. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void
  /** For what says a lot for long, such as a log that is followed: lines are told, and neither kept nor logged. */
  readonly linesOnly?: boolean
}

/** Runs commands: for real, or recorded, in tests. */
export interface Tools {
  /**
   * @throws ToolError `missing` when the program is not there, `timeout` when it took too long, `output` when it said more than
   * is kept; the signal's reason when that is aborted. In all of them nothing of it runs any more.
   */
  run(command: Command, options?: RunOptions): Promise<CommandResult>
}

export class ToolError extends Error {
  override readonly name = 'ToolError'
  readonly code: 'missing' | 'timeout' | 'output'
  readonly command: Command

  constructor(code: ToolError['code'], message: string, command: Command) {
    super(message)
    this.code = code
    this.command = command
  }
}
