import { checkOurs, containerId, NotOursError } from './ours.js'
import { clusterName, type Place } from './place.js'
import { commandsFor } from './plan/commands.js'
import type { ClusterRecord } from './record.js'
import type { RunOptions, Tools } from './tools.js'

/*
 * kind and docker ask the engine that DOCKER_HOST or a docker context says, and a kubeconfig has no part in it. So that a cluster which
 * answers is ours says nothing of the one that they would delete: that is known by its containers.
 */

const which = 'DOCKER_HOST, or `docker context ls`, says which Docker is asked.'
const elsewhere = `If nobody needs it: \`kind delete cluster --name ${clusterName}\`, then this again.`

/** Holds that the Docker which is asked now is the one that has our cluster. @throws NotOursError */
export async function checkEngine(
  tools: Tools,
  place: Place,
  { container }: ClusterRecord,
  options: RunOptions = {},
): Promise<void> {
  if (container === undefined) return
  const now = await containerId(tools, place, options)
  if (now === container) return
  throw new NotOursError(
    'not-ours',
    `the Docker that is asked now has ${now === undefined ? 'no' : 'another'} container named ${clusterName}-control-plane than the one that was made here (${container.slice(0, 12)}), so its cluster ${clusterName} is not ours. Nothing was changed. ${which} ${elsewhere}`,
  )
}

/** Holds that a cluster which kind does not list is gone, and not in another Docker than the one that is asked. @throws NotOursError */
export async function checkGone(
  tools: Tools,
  place: Place,
  record: ClusterRecord,
  options: RunOptions = {},
): Promise<void> {
  try {
    await checkOurs(tools, place, record, options)
  } catch (error) {
    if (error instanceof NotOursError) return
    throw error
  }
  throw new NotOursError(
    'not-ours',
    `the cluster that was made here answers, and the Docker that is asked now has no cluster ${clusterName}: it is in another one. Nothing was changed. ${which}`,
  )
}

/**
 * Holds that what there is of a cluster whose deleting was interrupted is ours. kind takes the context out of our file first, and then all
 * nodes at once: which of them are left nobody knows, and only where the control plane is can it be asked.
 * @returns whether deleting was interrupted at all. @throws NotOursError
 */
export async function checkHalfGone(
  tools: Tools,
  place: Place,
  record: ClusterRecord,
  options: RunOptions = {},
): Promise<boolean> {
  if (record.deleting !== true || record.container === undefined) return false
  if ((await containerId(tools, place, options)) !== undefined) await checkEngine(tools, place, record, options)
  return true
}

/** Making it may take so long; and so far this machine's clock and the engine's may be apart. */
const makingMs = 15 * 60_000
const clocksMs = 5 * 60_000

/**
 * Holds that what there is of a cluster without a UID is what an interrupted try of ours has left. Two clones may be at it at once: one
 * whose `kind create` failed has made nothing, and what is there since is somebody else's.
 * @throws NotOursError
 */
export async function checkHalfMade(
  tools: Tools,
  place: Place,
  { making, begun }: ClusterRecord,
  options: RunOptions = {},
): Promise<void> {
  const notOurs = (why: string): NotOursError =>
    new NotOursError(
      'not-ours',
      `kind has a cluster named ${clusterName}, and ${why}: it is not known to be ours. Nothing was changed. ${elsewhere}`,
    )
  if (making !== true) throw notOurs('the last try here ended before it had made one')
  const args = ['container', 'inspect', '--format', '{{.Created}}', `${clusterName}-control-plane`]
  const { code, stdout } = await tools.run(commandsFor(place).docker(args, 1), options)
  // Interrupted before it had that container.
  if (code !== 0) return
  const after = Date.parse(stdout.trim()) - Date.parse(begun)
  if (after >= -clocksMs && after <= makingMs + clocksMs) return
  throw notOurs(`it was made at another time (${stdout.trim()}) than the one that was begun here (${begun})`)
}
