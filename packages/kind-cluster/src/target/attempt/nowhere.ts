import { type Attempt, flowOf, type Sighting } from '@bulkhead/scenarios'
import { judge, type Snapshot } from '@bulkhead/verdict'
import { type Outside, outsideName } from '../../outside/index.js'

/** Addresses that are kept for examples: nobody has them. */
const forExamples = /^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$/
const metadataService = '169.254.169.254'

/**
 * Why an attempt cannot be made on a cluster of kind's. One whose far side does not exist fails with every wall down, so that its failing
 * proves a wall only where the wall itself says that it was the one.
 */
export function nowhereOnACluster(
  from: string,
  attempt: Attempt,
  snapshot: Snapshot,
  outside: Outside | undefined,
): string | undefined {
  const { kind, to, certificate } = attempt
  if (kind === 'socket')
    return 'the private socket of a pod is a thing of the local target; on a cluster a pod has a network namespace of its own instead.'
  if (certificate === 'stolen' || certificate === 'expired')
    return `a${certificate === 'expired' ? 'n expired' : ' stolen'} certificate of another workload is not to be had here: on a cluster ztunnel asks istiod for them, keeps the keys in its own memory and shows them to nobody.`
  if (kind === 'dns') return undefined
  const host = 'host' in to ? to.host : undefined
  if (host !== undefined && isPlayed(host))
    return outside === undefined
      ? `nobody plays ${host}: the container ${outsideName} does not run. \`npx bulkhead cluster up\` makes it.`
      : undefined
  if (host !== undefined && /(^|\.)(invalid|test)\.?$/.test(host)) return `${host} is a name that nobody has.`
  const address = nobodysAddress(attempt)
  if (address === undefined) return undefined
  // That its packets are dropped needs nobody who would answer: Cilium says it.
  if (isDropped(from, attempt, snapshot)) return undefined
  if (address !== metadataService)
    return `${address} is an address that nobody has; the host outside of the cluster has one that Docker gives it.`
  return `kind's nodes have no metadata service: nobody answers at ${metadataService} with every wall down.`
}

/** The address that is dialled, where nobody has it on a cluster of kind's. */
function nobodysAddress({ to }: Attempt): string | undefined {
  const address = ('ip' in to ? to.ip : undefined) ?? ('host' in to ? to.host : undefined)
  return address !== undefined && (address === metadataService || forExamples.test(address)) ? address : undefined
}

/**
 * Why nothing is known of an attempt that failed: nobody was there who might have answered, and no wall says that it was the one.
 * Undefined where that is not so.
 */
export function provesNothing(attempt: Attempt, sightings: readonly Sighting[]): string | undefined {
  const address = nobodysAddress(attempt)
  if (address === undefined || sightings.some(({ by, outcome }) => by === 'hubble' && outcome === 'deny'))
    return undefined
  return `nobody has ${address} here, so that it fails with every wall down, and Cilium does not say that it dropped a packet to it.`
}

/** A name that the host outside of the cluster has. */
export const isPlayed = (host: string): boolean => /(^|\.)example\.?$/i.test(host)

/** Whether the attempt is one on that host: a question for its name is asked of CoreDNS. */
export const isOnOutside = ({ kind, to }: Attempt): boolean => kind !== 'dns' && 'host' in to && isPlayed(to.host)

/** Whether no packet of it leaves: what reads the payload waits for a far side that takes the connection. */
function isDropped(from: string, attempt: Attempt, snapshot: Snapshot): boolean {
  const flow = flowOf(from, attempt)
  if (flow === undefined) return false
  const { outcome, symptom } = judge(flow, snapshot)
  return outcome === 'deny' && (symptom === 'timeout' || symptom === 'late-reset')
}
