import { contextName } from '../place.js'
import type { Command } from '../tools.js'
import { shellWord } from './shell-word.js'

/** A command as it can be pasted into a shell. What is on its stdin is not part of it. */
export function commandLine({ tool, args }: Pick<Command, 'tool' | 'args'>): string {
  return [tool, ...args].map(shellWord).join(' ')
}

/** The flags that say which cluster is meant; every tool of a cluster has its own. */
const CONTEXT_FLAGS: Readonly<Record<string, string>> = {
  kubectl: '--context',
  helm: '--kube-context',
  cilium: '--context',
  istioctl: '--context',
}

/** The same without the words that say which cluster: what two commands differ in is easier seen. */
export function shortCommandLine({ tool, args }: Pick<Command, 'tool' | 'args'>): string {
  const names = (word = ''): boolean => word === '--kubeconfig' || word === CONTEXT_FLAGS[tool]
  const kept = args.filter((word, at) => !names(word) && !names(args[at - 1]))
  return commandLine({ tool, args: kept })
}

/** Whether a command says that it means our cluster, by file and by context; true of tools that ask no cluster. */
export function namesOurCluster({ tool, args }: Pick<Command, 'tool' | 'args'>, kubeconfig: string): boolean {
  const flag = CONTEXT_FLAGS[tool]
  if (flag === undefined) return true
  return args[args.indexOf('--kubeconfig') + 1] === kubeconfig && args[args.indexOf(flag) + 1] === contextName
}
