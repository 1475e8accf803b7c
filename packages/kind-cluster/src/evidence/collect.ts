import { setTimeout as wait } from 'node:timers/promises'
import type { Sighting, Witness } from '@bulkhead/scenarios'
import type { Command } from '../tools.js'
import { type Asked, earlyMs, isAbout } from './about.js'
import { envoySighting } from './envoy.js'
import { hubbleSighting } from './hubble.js'
import {
  type Context,
  containerOf,
  forgetWitnesses,
  kubectl,
  type Witnesses,
  type WitnessPod,
  witnessesOf,
} from './pods.js'
import { ztunnelSighting } from './ztunnel.js'

export interface CollectOptions {
  /** It was stopped: logs are read again until one says why, or for as long as they may take to be written. */
  readonly stopped?: boolean
  readonly signal?: AbortSignal
  /** Told in a sentence what could not be read, and whose words are missing by that. An attempt does not fail for it. */
  readonly onUnread?: (what: string, by: readonly Witness[]) => void
  /** Between two readings, in milliseconds. Envoy writes its log once a second. */
  readonly pauseMs?: number
}

/** One log of one pod: how it is read, and what its lines mean. */
interface Source {
  readonly by: Witness
  readonly what: string
  readonly command: Command
  readonly read: (line: string) => Sighting | undefined
}

const mostReadings = 4
const defaultPauseMs = 700
const readMs = 15_000
/** Of one log and one attempt. More than a few lines are not about it. */
const mostBytes = 1024 * 1024
const mostFlows = 500

/**
 * What a cluster's enforcing points wrote down of one attempt, in order of time: the ztunnels and Cilium's agents on the nodes of both
 * ends, and the gateways and waypoints that may be on its way. Bounded in time and in bytes.
 * @throws only the signal's reason
 */
export async function collectSightings(
  context: Context,
  asked: Asked,
  options: CollectOptions = {},
): Promise<readonly Sighting[]> {
  const { stopped = false, signal, pauseMs = defaultPauseMs } = options
  let found: readonly Sighting[] = []
  for (let reading = 1; reading <= (stopped ? mostReadings : 1); reading += 1) {
    if (reading > 1) await wait(pauseMs, undefined, signal === undefined ? {} : { signal })
    signal?.throwIfAborted()
    found = await readOnce(context, asked, options, reading === mostReadings || !stopped)
    if (found.some(({ outcome, code }) => outcome === 'deny' && code !== undefined)) break
  }
  return found
}

async function readOnce(
  context: Context,
  asked: Asked,
  { signal, onUnread }: CollectOptions,
  last: boolean,
): Promise<readonly Sighting[]> {
  const tell = (what: string, by: readonly Witness[]): void => {
    if (last) onUnread?.(what, by)
  }
  let witnesses: Witnesses
  try {
    witnesses = await witnessesOf(context, signal)
  } catch (error) {
    signal?.throwIfAborted()
    tell(`who keeps records could not be asked: ${messageOf(error)}`, ['hubble', 'ztunnel', 'waypoint', 'gateway'])
    return []
  }
  const proxies = new Set(witnesses.proxies.flatMap(({ ips }) => ips))
  const lists = await Promise.all(
    sourcesOf(context, asked, witnesses).map(async (source) => {
      try {
        const lines = await linesOf(context, source, signal)
        return lines.flatMap((line) => source.read(line) ?? [])
      } catch (error) {
        signal?.throwIfAborted()
        forgetWitnesses(context)
        tell(`${source.what} could not be read: ${messageOf(error)}`, [source.by])
        return []
      }
    }),
  )
  return inOrder(lists.flat().filter((sighting) => isAbout(sighting, asked, proxies)))
}

/** RFC 3339, a little before the attempt, since clocks differ. */
const beginOf = ({ since }: Asked): string => new Date(since.getTime() - earlyMs).toISOString()

function sourcesOf(context: Context, asked: Asked, witnesses: Witnesses): readonly Source[] {
  const near = nodesOf(asked, witnesses)
  const here = ({ node }: WitnessPod): boolean => near.size === 0 || node === undefined || near.has(node)
  const since = beginOf(asked)
  const log = (pod: WitnessPod): Command =>
    unlogged(
      kubectl(
        context,
        [
          'logs',
          '-n',
          pod.namespace,
          pod.name,
          ...containerOf(pod),
          `--since-time=${since}`,
          `--limit-bytes=${mostBytes}`,
        ],
        readMs,
      ),
    )
  return [
    ...witnesses.ztunnels.filter(here).map((pod) => ({
      by: 'ztunnel' as const,
      what: `the log of ztunnel on ${pod.node ?? pod.name}`,
      command: log(pod),
      read: ztunnelSighting,
    })),
    ...witnesses.agents.filter(here).map((pod) => ({
      by: 'hubble' as const,
      what: `Hubble on ${pod.node ?? pod.name}`,
      command: unlogged(
        hubbleCommand(context, pod, ['--since', since, '--last', String(mostFlows), ...addressFlags(asked)]),
      ),
      read: hubbleSighting,
    })),
    ...proxiesOf(asked, witnesses).map((pod) => {
      const by = pod.gateway?.isWaypoint === true ? ('waypoint' as const) : ('gateway' as const)
      const what = `the log of ${pod.namespace}/${pod.name}`
      return { by, what, command: log(pod), read: (line: string) => envoySighting(line, by) }
    }),
  ]
}

/** Headers of requests are in what Hubble tells, and with them stolen tokens; and one attempt's logs would be most of the log. */
const unlogged = (command: Command): Command => ({ ...command, secret: true })

/** What policies say of packets, and what of requests; `hubble` in an agent's pod asks that node alone. */
export function hubbleCommand(
  context: Context,
  pod: WitnessPod,
  flags: readonly string[],
  timeoutMs = readMs,
): Command {
  const types = ['drop', 'policy-verdict', 'l7'].flatMap((type) => ['--type', type])
  const hubble = ['hubble', 'observe', 'flows', '-o', 'jsonpb', ...types, ...flags]
  const pick = ['exec', '-n', pod.namespace, pod.name, '-c', 'cilium-agent', '--', ...hubble]
  return kubectl(context, pick, timeoutMs)
}

/** Only flows of the caller, or where it is none of the cluster's, to whom it called. */
function addressFlags({ from, to }: Asked): readonly string[] {
  const ips = from.ips.length > 0 ? from.ips : to.ips
  return ips.flatMap((ip) => ['--ip', ip])
}

/** The nodes of both ends, and of what may stand between them; none when one end's are not known. */
function nodesOf({ from, to }: Asked, { proxies }: Witnesses): ReadonlySet<string> {
  if (from.ips.length > 0 && from.nodes === undefined) return new Set()
  if (to.ips.length > 0 && to.nodes === undefined) return new Set()
  return new Set([...(from.nodes ?? []), ...(to.nodes ?? []), ...proxies.flatMap(({ node }) => node ?? [])])
}

/** Gateways and waypoints in the namespaces of both ends: ours serve their own. */
function proxiesOf({ from, to }: Asked, { proxies }: Witnesses): readonly WitnessPod[] {
  const namespaces = [from, to].flatMap(({ workload, service }) => (workload ?? service)?.split('/')[0] ?? [])
  return proxies.filter(({ namespace }) => namespaces.includes(namespace))
}

async function linesOf(
  { tools }: Context,
  { command }: Source,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const { code, stdout, stderr } = await tools.run(command, signal === undefined ? {} : { signal })
  if (code !== 0) throw new Error(stderr.trim().slice(0, 300) || `kubectl ended with ${code ?? 'a signal'}`)
  // What is behind the last line break was cut off by the limit.
  return stdout.split('\n').slice(0, -1)
}

/** What two readings, or two flags, brought twice is one sighting. */
export function inOrder(sightings: readonly Sighting[]): readonly Sighting[] {
  const seen = new Set<string>()
  return sightings
    .filter(({ by, line }) => !seen.has(`${by} ${line}`) && seen.add(`${by} ${line}`))
    .sort((one, other) => Date.parse(one.at) - Date.parse(other.at))
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
