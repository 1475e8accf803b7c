import { join } from 'node:path'

/** The cluster's name, as `kind get clusters` lists it; its nodes' names begin with it. */
export const clusterName = 'bulkhead'
/** What kind calls the context of that cluster. */
export const contextName = `kind-${clusterName}`

/** Where everything of a cluster is on this machine. */
export interface Place {
  /** The clone: it holds k8s/, scenarios/, Dockerfile.base. */
  readonly root: string
  /** `.bulkhead/kind`: all that we keep of the cluster. */
  readonly folder: string
  /** Ours alone (0600). The user's own kubeconfig is neither read nor written. */
  readonly kubeconfig: string
  /** Which cluster is ours and how far it has come: `{ uid, steps ... }` (0600). */
  readonly record: string
  /** What every command said, with times. */
  readonly log: string
  /** Held by who is changing the cluster. */
  readonly lock: string
}

export function placeOf(root: string, stateDir: string): Place {
  const folder = join(stateDir, 'kind')
  return {
    root,
    folder,
    kubeconfig: join(folder, 'kubeconfig'),
    record: join(folder, 'cluster.json'),
    log: join(folder, 'cluster.log'),
    lock: join(folder, 'lock'),
  }
}

/** What kubectl is always given: our file and our context, whatever the environment says. */
export function kubectlArgs({ kubeconfig }: Pick<Place, 'kubeconfig'>): readonly string[] {
  return ['--kubeconfig', kubeconfig, '--context', contextName]
}
