import { setTimeout as wait } from 'node:timers/promises'
import { kubectlArgs, type Place } from '../place.js'
import type { Command, CommandResult, Tools } from '../tools.js'

/*
 * The canary: does the CNI do what a NetworkPolicy says? One pod calls another and is served, which shows that the call is right; then a
 * policy denies it, and the same call must time out. A CNI that enforces nothing takes the policy like any other object.
 */

export const canaryNamespace = 'bulkhead-canary'

/** Where its manifests are, below the clone. */
export const CANARY_FOLDER = 'k8s/platform/canary'

export interface CanaryStep {
  readonly id: 'clear' | 'pods' | 'ready' | 'served' | 'policy' | 'denied' | 'gone'
  readonly title: string
  readonly why: string
  readonly command: Command
  /** What stdout must have in it; the command is run again until it has. Without it: that it ends with 0, the first time. */
  readonly says?: { readonly text: string; readonly withinMs: number }
}

/** What the probe is told on stdin. */
const attempt = JSON.stringify({
  kind: 'http',
  host: 'server',
  port: 8080,
  http: { method: 'GET', path: '/' },
  timeoutMs: 3_000,
})

/** The steps, in order. The last one belongs there however the others went. Paths are relative to the clone. */
export function canarySteps(place: Pick<Place, 'kubeconfig'>): readonly CanaryStep[] {
  const kubectl = (timeoutMs: number, ...args: readonly string[]): Command => ({
    tool: 'kubectl',
    args: [...kubectlArgs(place), ...args],
    timeoutMs,
  })
  const inside = ['--namespace', canaryNamespace]
  const gone = kubectl(150_000, 'delete', 'namespace', canaryNamespace, '--ignore-not-found', '--timeout=120s')
  const call: Command = {
    ...kubectl(20_000, 'exec', ...inside, '--stdin', 'client', '--', 'node', '/app/dist/main.js', 'attempt'),
    stdin: attempt,
  }
  return [
    {
      id: 'clear',
      title: 'Take away what an earlier canary left',
      why: 'A policy that is still there would deny the first call.',
      command: gone,
    },
    {
      id: 'pods',
      title: 'Start two pods, a client and a server',
      why: 'They are in a namespace of their own and in no mesh, so that a dropped packet is seen as it is.',
      command: kubectl(60_000, 'apply', '--kustomize', CANARY_FOLDER),
    },
    {
      id: 'ready',
      title: 'Wait until both are ready',
      why: 'A server that does not run answers nobody, policy or not.',
      command: kubectl(
        200_000,
        'wait',
        ...inside,
        '--for=condition=Ready',
        'pod/client',
        'pod/server',
        '--timeout=180s',
      ),
    },
    {
      id: 'served',
      title: 'Call the server: it must answer',
      why: 'Without this, a timeout later would prove nothing.',
      command: call,
      says: { text: '"symptom":"ok"', withinMs: 60_000 },
    },
    {
      id: 'policy',
      title: 'Deny the call',
      why: 'A NetworkPolicy that selects the server and lets nobody in.',
      command: kubectl(60_000, 'apply', '--filename', `${CANARY_FOLDER}/deny.yaml`),
    },
    {
      id: 'denied',
      title: 'Call again: it must time out',
      why: 'This is the proof that the CNI drops what a policy denies. It may take a moment to hear of the policy.',
      command: call,
      says: { text: '"symptom":"timeout"', withinMs: 60_000 },
    },
    { id: 'gone', title: 'Take the canary away', why: 'Nothing of it is needed any more.', command: gone },
  ]
}

export interface CanaryReport {
  /** `silent`: the first call was not answered, so that nothing is known. `failed`: a command did. */
  readonly outcome: 'enforced' | 'open' | 'silent' | 'failed'
  /** In one sentence. */
  readonly found: string
  /** The step that it ended at, and what its command said; not when it is enforced. */
  readonly at?: CanaryStep
  readonly result?: CommandResult
}

export interface CanaryOptions {
  readonly signal?: AbortSignal
  readonly onStep?: (step: CanaryStep) => void
  /** Between two asks of a step that has to say something. Default: a second. */
  readonly pauseMs?: number
  /** How long it is asked, where not as long as the step says. */
  readonly withinMs?: number
}

/**
 * Sends the canary in and takes it away again, however it went.
 * @throws ToolError when a tool is missing or hangs, the signal's reason when that is aborted
 */
export async function runCanary(
  tools: Tools,
  place: Pick<Place, 'kubeconfig'>,
  options: CanaryOptions = {},
): Promise<CanaryReport> {
  const steps = canarySteps(place)
  const last = steps.at(-1)
  try {
    for (const step of steps.filter((one) => one !== last)) {
      options.onStep?.(step)
      const result = await runStep(tools, step, options)
      if (!holds(step, result)) return reportOf(step, result)
    }
    return { outcome: 'enforced', found: 'a call was served, and timed out once a NetworkPolicy denied it' }
  } finally {
    // Not called off with the rest: what is there has to go.
    if (last !== undefined) {
      options.onStep?.(last)
      await tools.run(last.command)
    }
  }
}

async function runStep(tools: Tools, step: CanaryStep, options: CanaryOptions): Promise<CommandResult> {
  const { signal, pauseMs = 1_000, withinMs = step.says?.withinMs ?? 0 } = options
  const deadline = performance.now() + withinMs
  for (;;) {
    const result = await tools.run(step.command, signal === undefined ? {} : { signal })
    if (holds(step, result) || step.says === undefined || performance.now() >= deadline) return result
    await wait(pauseMs, undefined, signal === undefined ? {} : { signal })
  }
}

const holds = ({ says }: CanaryStep, { code, stdout }: CommandResult): boolean =>
  code === 0 && (says === undefined || stdout.includes(says.text))

function reportOf(step: CanaryStep, result: CommandResult): CanaryReport {
  const symptom = /"symptom":"([a-z0-9-]+)"/.exec(result.stdout)?.[1]
  const at = { at: step, result }
  if (symptom === undefined || result.code !== 0)
    return { outcome: 'failed', found: `"${step.title}" ended with ${ending(result)}`, ...at }
  if (step.id === 'served')
    return { outcome: 'silent', found: `the server was not reached before any policy was there: ${symptom}`, ...at }
  if (symptom === 'ok')
    return { outcome: 'open', found: 'a call that a NetworkPolicy denies was served all the same', ...at }
  return {
    outcome: 'failed',
    found: `a call that a NetworkPolicy denies ended with ${symptom}, and not with timeout`,
    ...at,
  }
}

/** How a command ended, with the last line of what it said of that. */
function ending({ code, signal, stderr }: CommandResult): string {
  const line = stderr.trimEnd().split('\n').at(-1) ?? ''
  return `${code === undefined ? (signal ?? 'a signal') : `exit ${code}`}${line === '' ? '' : `: ${line}`}`
}
