import { clusterName } from '../place.js'
import type { Command, CommandResult } from '../tools.js'

/** The host outside of the cluster: a container beside the nodes, with the program of the probe's image. */
export const outsideName = `${clusterName}-outside`
/** By it the container is known as ours: a name anybody may have given. */
export const outsideLabel = { name: 'bulkhead.dev/outside', value: clusterName } as const
/** Docker's network of all of kind's clusters. kind makes it and never removes it. */
export const kindNetwork = 'kind'

const docker = (args: readonly string[], timeoutMs: number): Command => ({ tool: 'docker', args, timeoutMs })

/** What there is of that name. */
export const inspectOutside: Command = docker(['container', 'inspect', outsideName], 60_000)
/** The same, and the image that it should run. */
export const inspectWith = (image: string): Command => docker(['inspect', outsideName, image], 60_000)
/** Its one line: the root of its certificates is in it. */
export const outsideLog: Command = docker(['logs', '--tail', '1', outsideName], 60_000)
export const removeOutside: Command = docker(['container', 'rm', '--force', outsideName], 60_000)

/** A container of the name of ours. */
export interface OutsideContainer {
  /** It has our label. */
  readonly ours: boolean
  readonly running: boolean
  /** On the network of the nodes. */
  readonly address?: string
  /** Of what it was made. */
  readonly image: string
}

interface Inspected {
  readonly Id?: string
  readonly Name?: string
  readonly Image?: string
  readonly Config?: { readonly Labels?: Readonly<Record<string, string>> | null }
  readonly State?: { readonly Running?: boolean; readonly Restarting?: boolean }
  readonly NetworkSettings?: {
    readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string } | null>> | null
  }
}

/** Reads the answer to either question; an image of the second one, too. A container has a name that begins with a slash. */
export function readInspected({ stdout }: Pick<CommandResult, 'stdout'>): {
  readonly container?: OutsideContainer
  readonly image?: string
} {
  const all = listIn(stdout)
  const found = all.find(({ Name }) => Name === `/${outsideName}`)
  const image = all.find(({ Name, State }) => Name === undefined && State === undefined)?.Id
  return { ...(found && { container: containerOf(found) }), ...(image !== undefined && { image }) }
}

function containerOf({ Config, State, NetworkSettings, Image = '' }: Inspected): OutsideContainer {
  const address = NetworkSettings?.Networks?.[kindNetwork]?.IPAddress
  return {
    ours: Config?.Labels?.[outsideLabel.name] === outsideLabel.value,
    running: State?.Running === true && State.Restarting !== true,
    image: Image,
    ...(address !== undefined && address !== '' && { address }),
  }
}

function listIn(text: string): readonly Inspected[] {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value.filter((one): one is Inspected => typeof one === 'object' && one !== null) : []
  } catch {
    return []
  }
}

/** Why nothing is done to it. */
export const notOurOutside = `Docker has a container named ${outsideName}, and it was not made here (it has no label ${outsideLabel.name}). Nothing was changed. If nobody needs it: \`docker container rm --force ${outsideName}\`; or \`docker rename\` it.`
