import { type Flow, judge, type Snapshot, type Verdict } from '@bulkhead/verdict'
import { type Destination, destinationsOf, flowSource, outside, sourcesOf } from './questions.js'

/** One snapshot, ready to be asked the questions of a matrix: its own, and those of another one. */
export interface Board {
  readonly sources: readonly string[]
  readonly destinations: readonly Destination[]
  /** Whether this snapshot has somebody to ask for, and something to be called. */
  has(source: string, destination: Destination): boolean
  flow(source: string, destination: Destination): Flow
  ask(source: string, destination: Destination): Verdict
}

/** @param written see `destinationsOf` */
export function boardOf(snapshot: Snapshot, written = snapshot.resources): Board {
  const sources = sourcesOf(snapshot)
  const destinations = destinationsOf(snapshot, written)
  const known = new Set(sources)
  const columns = new Set(destinations.map(({ name }) => name))
  return {
    sources,
    destinations,
    has: (source, destination) =>
      known.has(source) &&
      (destination.beyond === true || columns.has(destination.name) || hasListener(destination, snapshot)),
    flow: flowOf,
    ask: (source, destination) => judge(flowOf(source, destination), snapshot),
  }
}

function flowOf(source: string, { flow }: Destination): Flow {
  return { from: flowSource(source), ...flow }
}

/** What is only called by itself: nobody is asked about himself, nor the outside about what is outside. */
export function isOwn(source: string, { workloads, beyond }: Destination): boolean {
  if (source === outside) return beyond === true
  return workloads.length === 1 && workloads[0] === source
}

/** Which arrow it is; equal for the same question of two snapshots. */
export function questionKey(source: string, destination: Destination): string {
  return `${source} -> ${destination.name}`
}

/** A request that only the other snapshot's routes would think of can be asked of every gateway that listens. */
function hasListener({ gateway, flow }: Destination, snapshot: Snapshot): boolean {
  if (gateway === undefined) return false
  return snapshot.gateways.get(gateway)?.listeners.some(({ port }) => port === flow.port) ?? false
}
