import { downPlan, imagesOf, readPins, readRecord, takeDown } from '@bulkhead/kind-cluster'
import { typedFor } from '../given.js'
import { signalExitCode } from '../interrupt.js'
import { exitCodes, type Io, note, print, printable, printJson } from '../io.js'
import { shownPath } from '../places.js'
import { type ClusterTools, clusterPlace, clusterTools } from './place.js'
import { aroundDown, printPlan } from './plan.js'
import type { UpOptions } from './up.js'

/** Deletes the cluster, and what is kept of it on this machine. */
export async function down(options: UpOptions, io: Io, given?: ClusterTools): Promise<void> {
  if (options.plan === true) {
    const place = clusterPlace(io, options)
    printPlan(downPlan(place, readRecord(place)?.networkWasThere === false), place, aroundDown, options, io)
    return
  }
  const { place, tools } = given ?? clusterTools(io, options)
  const pins = readPins(place.root)
  const { built, fetched } = imagesOf(pins)
  const taken = await takeDown(tools, place, {
    signal: io.signal,
    images: [...built, ...fetched, pins.kind.node],
    onFound: () => note(io, 'deleting the cluster ...'),
  }).catch(async (error: unknown) => {
    if (!io.signal.aborted) throw error
    const typed = (await typedFor(io, options))('npx bulkhead cluster down')
    note(io, printable(`bulkhead: interrupted; what is left of the cluster \`${typed}\` takes away.`))
    io.exit(signalExitCode(io.signal.reason))
    return 'interrupted' as const
  })
  if (taken === 'interrupted') return
  if (options.json === true) printJson(io, { down: taken !== undefined, ...taken })
  if (taken === undefined) {
    note(io, 'there was no cluster of ours.')
    io.exit(exitCodes.badInput)
    return
  }
  if (options.json === true) return
  print(
    io,
    [
      taken.deleted ? 'The cluster is gone, with its data and its passwords.' : 'The cluster was gone already.',
      `So is ${shownPath(io, place.folder)}, with its log.${taken.network === 'removed' ? " Docker's network of kind's clusters is removed." : ''}`,
    ].join('\n'),
  )
  const { kept = [] } = taken
  if (kept.length === 0) return
  print(
    io,
    [
      'What Docker keeps, so that the next `up` is quicker:',
      ...kept.map((image) => `  ${image}`),
      '`docker image rm` with these names removes them; `docker buildx prune` what the builds left.',
    ].join('\n'),
  )
}
