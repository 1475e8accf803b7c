import { dirname, join } from 'node:path'
import { shellWord } from './tools/shell-word.js'

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
  /** Held by who changes the cluster, or attacks it. */
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

/** How our own commands are told where the state is, when it is not where they look. */
export function stateArgs({ root, folder }: Pick<Place, 'root' | 'folder'>): readonly string[] {
  const state = dirname(folder)
  return state === join(root, '.bulkhead') ? [] : ['--state', state]
}

/** Our commands that ask a cluster, as texts have them. */
const ours = /\bnpx bulkhead (?:cluster [a-z]+|[^`;,|\n]*?--on kind)\b(?! --state)/g
/** Where a cluster's things are when nobody says another folder; not the end of another path. */
const usual = /(?<![\w/.-])\.bulkhead\/kind\b/g

/**
 * A text with command lines, for whoever pastes them: all texts are written for a cluster whose things are in `.bulkhead/kind`, and where
 * they are elsewhere (`--state DIR`) every command of ours is told so, and paths lead there. To be called where a text leaves; a second
 * time changes nothing. `escaped` is for a form that has characters of its own.
 */
export function forPlace(
  text: string,
  place: Pick<Place, 'root' | 'folder'>,
  escaped: (words: string) => string = (words) => words,
): string {
  const args = stateArgs(place)
  if (args.length === 0) return text
  return text
    .replace(ours, (found) => `${found} ${escaped(args.map(shellWord).join(' '))}`)
    .replace(usual, () => escaped(shellWord(place.folder)))
}

/** What kubectl is always given: our file and our context, whatever the environment says. */
export function kubectlArgs({ kubeconfig }: Pick<Place, 'kubeconfig'>): readonly string[] {
  return ['--kubeconfig', kubeconfig, '--context', contextName]
}
