import { contextName, kubectlArgs, type Place } from '../place.js'
import type { Command } from '../tools.js'

const MINUTE = 60_000
/** What a tool takes to begin and to end, beside what it was told to wait. */
const SLACK_MS = 15_000

/** Command lines of the programs that make a cluster, each with the file and the context that are ours. */
export interface Commands {
  kubectl(args: readonly string[], options?: Partial<Command>): Command
  /** A kubectl that waits itself: it is given the time, and ended only when it does not keep to it. */
  waiting(args: readonly string[], minutes: number): Command
  helm(args: readonly string[], minutes: number): Command
  kind(args: readonly string[], minutes: number): Command
  docker(args: readonly string[], minutes: number): Command
}

export function commandsFor(place: Pick<Place, 'kubeconfig'>): Commands {
  const kubectl = (args: readonly string[], options: Partial<Command> = {}): Command => ({
    tool: 'kubectl',
    args: [...kubectlArgs(place), ...args],
    timeoutMs: 2 * MINUTE,
    ...options,
  })
  return {
    kubectl,
    waiting: (args, minutes) => kubectl([...args, `--timeout=${minutes}m`], { timeoutMs: minutes * MINUTE + SLACK_MS }),
    helm: (args, minutes) => ({
      tool: 'helm',
      args: ['--kubeconfig', place.kubeconfig, '--kube-context', contextName, ...args],
      timeoutMs: minutes * MINUTE + SLACK_MS,
    }),
    kind: (args, minutes) => ({ tool: 'kind', args, timeoutMs: minutes * MINUTE }),
    docker: (args, minutes) => ({ tool: 'docker', args, timeoutMs: minutes * MINUTE }),
  }
}
