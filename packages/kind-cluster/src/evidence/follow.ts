import type { Sighting } from '@bulkhead/scenarios'
import type { Command } from '../tools.js'
import { hubbleCommand } from './collect.js'
import { envoySighting } from './envoy.js'
import { hubbleSighting } from './hubble.js'
import { type Context, containerOf, kubectl, type Witnesses, type WitnessPod, witnessesOf } from './pods.js'
import { ztunnelSighting } from './ztunnel.js'

export interface FollowOptions {
  /** Begins with what was written in this many seconds before. Default 0. */
  readonly sinceSeconds?: number
  /** Ends when what is there has been read. */
  readonly untilNow?: boolean
  /** Told in a sentence when one of the logs ends, or cannot be read. The others go on. */
  readonly onLost?: (what: string) => void
}

/** A log that is followed is ended after this. */
const longestMs = 24 * 60 * 60 * 1000
/** What waits to be taken; more is dropped, oldest first, and told. */
const mostWaiting = 10_000

/**
 * What all enforcing points of the cluster say, as they say it, until the signal. The lines of one log keep their order.
 * @throws Error when none of them can be asked, or all have ended
 */
export async function* followSightings(
  context: Context,
  signal: AbortSignal,
  options: FollowOptions = {},
): AsyncGenerator<Sighting> {
  const { onLost, untilNow = false } = options
  const over = new AbortController()
  const ending = AbortSignal.any([signal, over.signal])
  const waiting: Sighting[] = []
  let dropped = 0
  let wake = (): void => {}
  const streams = streamsOf(context, await witnessesOf(context, signal), options)
  if (streams.length === 0) throw new Error('the cluster has no ztunnel, no Cilium and no gateway to ask')
  let open = streams.length
  for (const { what, command, read } of streams) {
    // Of what is only told line by line nothing is kept.
    let complaint = ''
    const onLine = (line: string, stream: 'stdout' | 'stderr'): void => {
      if (stream === 'stderr' && line.trim() !== '') complaint = line.trim().slice(0, 300)
      const sighting = stream === 'stdout' ? read(line) : undefined
      if (sighting === undefined) return
      if (waiting.push(sighting) > mostWaiting) {
        waiting.shift()
        dropped += 1
      }
      wake()
    }
    const ended = (why: string | undefined): void => {
      open -= 1
      if (why !== undefined && !ending.aborted) onLost?.(`${what} ${why}`)
      wake()
    }
    context.tools.run(command, { signal: ending, onLine, linesOnly: true }).then(
      ({ code }) => ended(untilNow && code === 0 ? undefined : `ended: ${complaint || code}`),
      (error: unknown) => ended(`could not be read: ${error instanceof Error ? error.message : String(error)}`),
    )
  }
  const aborted = (): void => wake()
  signal.addEventListener('abort', aborted, { once: true })
  try {
    while (!signal.aborted) {
      const next = waiting.shift()
      if (next !== undefined) yield next
      else if (open === 0) return
      else {
        if (dropped > 0) onLost?.(`${dropped} lines came faster than they were taken, and were left out`)
        dropped = 0
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    signal.removeEventListener('abort', aborted)
    over.abort(new Error('nobody follows any more'))
  }
}

interface Stream {
  readonly what: string
  readonly command: Command
  readonly read: (line: string) => Sighting | undefined
}

function streamsOf(
  context: Context,
  { ztunnels, agents, proxies }: Witnesses,
  { sinceSeconds = 0, untilNow = false }: FollowOptions,
): readonly Stream[] {
  const timeoutMs = untilNow ? 30_000 : longestMs
  const since = `--since=${Math.max(1, Math.round(sinceSeconds))}s`
  const log = (pod: WitnessPod): Command => {
    const which = ['-n', pod.namespace, pod.name, ...containerOf(pod)]
    return kubectl(context, ['logs', ...which, since, ...(untilNow ? [] : ['--follow'])], timeoutMs)
  }
  const hubbleSince = ['--since', `${Math.max(1, Math.round(sinceSeconds))}s`, ...(untilNow ? [] : ['--follow'])]
  return [
    ...ztunnels.map((pod) => ({
      what: `the log of ztunnel on ${pod.node ?? pod.name}`,
      command: log(pod),
      read: ztunnelSighting,
    })),
    ...agents.map((pod) => ({
      what: `Hubble on ${pod.node ?? pod.name}`,
      command: hubbleCommand(context, pod, hubbleSince, timeoutMs),
      read: hubbleSighting,
    })),
    ...proxies.map((pod) => ({
      what: `the log of ${pod.namespace}/${pod.name}`,
      command: log(pod),
      read: (line: string) => envoySighting(line, pod.gateway?.isWaypoint === true ? 'waypoint' : 'gateway'),
    })),
  ]
}
