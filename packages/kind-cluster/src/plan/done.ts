import { readInspected } from '../outside/index.js'
import type { CommandResult } from '../tools.js'
import type { Done } from './types.js'

/**
 * Whether the cluster says that a step is done; `pending` when a release was left in the middle of being installed or upgraded; `inTheWay`
 * when a container has the name that is to be given: one of ours that is not as it should be, or somebody else's.
 */
export type IsDone =
  | 'done'
  | 'not'
  | { readonly pending: 'install' | 'upgrade' }
  | { readonly inTheWay: 'ours' | 'foreign' }

/** What an answer to a step's question means. An answer that cannot be read means that it is not known to be done. */
export function isDone({ holds }: Done, { code, stdout }: CommandResult): IsDone {
  // Docker ends with 1 where one of both is missing, and tells of the other all the same.
  if (holds.kind === 'outside') return containerState(readInspected({ stdout }))
  if (code !== 0) return 'not'
  const answer = json(stdout)
  if (holds.kind === 'release') return releaseState(releasesIn(answer), holds)
  const nodes = nodesIn(answer)
  const there = holds.nodes.every((node) => {
    const images = nodes.get(node) ?? []
    return holds.images.every((image) => images.includes(image))
  })
  return there ? 'done' : 'not'
}

function containerState({ container, image }: ReturnType<typeof readInspected>): IsDone {
  if (container === undefined) return 'not'
  if (!container.ours) return { inTheWay: 'foreign' }
  const well = container.running && container.address !== undefined && container.image === image
  return well ? 'done' : { inTheWay: 'ours' }
}

function releaseState(
  releases: readonly Release[],
  { name, chart }: { readonly name: string; readonly chart: string },
): IsDone {
  const found = releases.find((release) => release.name === name)
  if (found === undefined) return 'not'
  if (found.status?.startsWith('pending')) return { pending: found.revision === '1' ? 'install' : 'upgrade' }
  return found.status === 'deployed' && found.chart === chart ? 'done' : 'not'
}

/** As `helm list --output json` tells of it. */
export interface Release {
  readonly name: string
  readonly namespace?: string
  readonly revision?: string
  readonly status?: string
  /** With its version: `cilium-1.20.1`. */
  readonly chart?: string
}

export function releasesIn(answer: unknown): readonly Release[] {
  return Array.isArray(answer) ? answer.filter(isRelease) : []
}

const isRelease = (one: unknown): one is Release =>
  typeof one === 'object' && one !== null && 'name' in one && typeof one.name === 'string'

interface NodeList {
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string }
    readonly status?: { readonly images?: readonly { readonly names?: readonly string[] }[] }
  }[]
}

/** The names of the images that each node has. */
function nodesIn(answer: unknown): ReadonlyMap<string, readonly string[]> {
  const { items = [] } = (answer ?? {}) as NodeList
  return new Map(
    items.map(({ metadata, status }) => [
      metadata?.name ?? '',
      (status?.images ?? []).flatMap(({ names = [] }) => names),
    ]),
  )
}

export function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
