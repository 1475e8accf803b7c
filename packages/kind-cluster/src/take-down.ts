import { checkEngine, checkGone, checkHalfGone, checkHalfMade } from './engine.js'
import { keptImages } from './kept-images.js'
import { locked } from './lock.js'
import { checkOurs, kindClusters, NotOursError } from './ours.js'
import { inspectOutside, kindNetwork, readInspected, removeOutside } from './outside/index.js'
import { clusterName, type Place } from './place.js'
import { commandsFor } from './plan/commands.js'
import { downPlan } from './plan/down.js'
import { type ClusterRecord, forgetCluster, readRecord, writeRecord } from './record.js'
import { ActionError, endedWith } from './run-action.js'
import { type Command, type RunOptions, ToolError, type Tools } from './tools.js'

export interface TakenDown {
  /** False when there was no cluster any more, and only what we kept of it went. */
  readonly deleted: boolean
  readonly network: 'removed' | 'kept' | 'none'
  /** Of the images that were asked about those that Docker has. */
  readonly kept?: readonly string[]
}

export interface TakeDownOptions {
  readonly signal?: AbortSignal
  /** Called once it is known that there is a cluster and that it is ours, before it goes. */
  readonly onFound?: () => void
  /** Images that Docker may keep. It is asked before the folder goes that has the log of what is asked. */
  readonly images?: readonly string[]
}

/**
 * Deletes the cluster and all that we keep of it. It is deleted when it is ours, and not by its name alone; where its API server does not
 * answer, its control plane's container says whether it is.
 * @returns undefined when there is nothing of ours
 * @throws NotOursError, RecordError, ActionError, LockedError
 */
export async function takeDown(
  tools: Tools,
  place: Place,
  options: TakeDownOptions = {},
): Promise<TakenDown | undefined> {
  return locked(place, () => down(tools, place, options))
}

async function down(
  tools: Tools,
  place: Place,
  { onFound, images, ...options }: TakeDownOptions,
): Promise<TakenDown | undefined> {
  const record = readRecord(place)
  const asked = kindClusters(tools, place, options)
  if (record === undefined) {
    // What no tool is there for has not been made with it.
    if ((await unlessMissing(asked))?.includes(clusterName) === true)
      throw new NotOursError(
        'not-ours',
        `kind has a cluster named ${clusterName}, and it was not made here (no ${place.record}). Nothing was changed. If nobody needs it: \`kind delete cluster --name ${clusterName}\`.`,
      )
    await unlessMissing(removeHost(tools, options))
    forgetCluster(place)
    return undefined
  }
  const exists = (await asked).includes(clusterName)
  if (exists) {
    await held(tools, place, record, options)
    onFound?.()
    writeRecord(place, { ...record, deleting: true })
    const [remove] = downPlan(place, false).steps
    for (const action of remove?.actions ?? []) await must(tools, action.command, options)
    if ((await kindClusters(tools, place, options)).includes(clusterName))
      throw new Error(`kind says that it has deleted ${clusterName}, and lists it still: look at \`docker ps --all\`.`)
  } else await checkGone(tools, place, record, options)
  await removeHost(tools, options)
  const network = await removeNetwork(tools, place, record, options)
  const kept = images && (await keptImages(tools, place, images, options))
  forgetCluster(place)
  return { deleted: exists, network, ...(kept && { kept }) }
}

/** Undefined where its tool is not on this machine. */
async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof ToolError && error.code === 'missing') return undefined
    throw error
  }
}

/** That it is ours: the cluster that answers, and the containers that would go. One whose making was interrupted has no UID yet. */
async function held(tools: Tools, place: Place, record: ClusterRecord, options: RunOptions): Promise<void> {
  if (record.uid === undefined) return checkHalfMade(tools, place, record, options)
  if (await checkHalfGone(tools, place, record, options)) return
  await checkEngine(tools, place, record, options)
  try {
    await checkOurs(tools, place, record, options)
  } catch (error) {
    const silent = error instanceof NotOursError && error.code !== 'not-ours'
    if (!silent || record.container === undefined) throw error
  }
}

/** The host outside of the cluster, where it is ours. */
async function removeHost(tools: Tools, options: RunOptions): Promise<void> {
  const { container } = readInspected(await tools.run(inspectOutside, options))
  if (container?.ours === true) await must(tools, removeOutside, options)
}

async function removeNetwork(
  tools: Tools,
  place: Place,
  record: ClusterRecord,
  options: RunOptions,
): Promise<TakenDown['network']> {
  const { docker } = commandsFor(place)
  const ask = docker(['network', 'inspect', '--format', '{{len .Containers}}', kindNetwork], 1)
  const { code, stdout } = await tools.run(ask, options)
  if (code !== 0) return 'none'
  if (record.networkWasThere || stdout.trim() !== '0') return 'kept'
  // Who has come in meanwhile keeps it: Docker refuses.
  const removed = await tools.run(docker(['network', 'rm', kindNetwork], 1), options)
  return removed.code === 0 ? 'removed' : 'kept'
}

async function must(tools: Tools, command: Command, options: RunOptions): Promise<void> {
  const result = await tools.run(command, options)
  if (result.code !== 0) throw new ActionError(endedWith(result), result)
}
