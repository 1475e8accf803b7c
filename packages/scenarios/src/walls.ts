import { outside } from './flow.js'
import type { LayerState, Scenario, Wall } from './types.js'

/** Walls that no layer switches off. */
export const alwaysOn: ReadonlySet<string> = new Set(['mesh', 'network', 'pod-security'])

/**
 * The order in which a connection meets the walls. The place of the others is free: requests (60) stand at the waypoint
 * before the destination's own rules and, with the door around it, among them; the network may have no way to a pod, or
 * nothing behind all its walls. The network's two layers (20, 30) are one set to the CNI: of a packet that both stop, an
 * explicit deny decides, whichever layer has it.
 */
const pathOrder: readonly (readonly string[])[] = [
  // What is refused here is not there to be tried.
  ['10-admission'],
  ['70-ingress'],
  ['20-network', '30-cilium'],
  ['mesh'],
  ['40-mtls'],
  ['50-identity'],
]

/**
 * Where a layer stands on the way; undefined for one whose place is free. The front door (70) comes first from outside;
 * a caller in the cluster has left its own pod before it comes there.
 */
export function placeOf(layer: string, from: string): number | undefined {
  if (layer === '70-ingress' && from !== outside) return undefined
  const place = pathOrder.findIndex((layers) => layers.includes(layer))
  return place === -1 ? undefined : place
}

export type Expected =
  /** `beside`: other policies of the same layer that refuse the same object, all of which an admission names. */
  | { readonly outcome: 'stopped'; readonly wall: Wall; readonly beside: readonly Wall[] }
  /** What the client sees then: an answer, or a redirect. */
  | { readonly outcome: 'through'; readonly symptom: 'ok' | 'redirected' }

/** What must happen with these layers on: the first wall that stands decides; with none, it gets through. */
export function expected(scenario: Pick<Scenario, 'expect'>, on: ReadonlySet<string>): Expected {
  const { walls, through } = scenario.expect
  const [wall, ...others] = walls.filter((candidate) => stands(candidate, on))
  if (wall !== undefined) {
    const beside = isAdmission(wall) ? others.filter((other) => isAdmission(other) && other.layer === wall.layer) : []
    return { outcome: 'stopped', wall, beside }
  }
  const { status = 200 } = through === 'never' ? {} : through
  return { outcome: 'through', symptom: status >= 300 && status < 400 ? 'redirected' : 'ok' }
}

/** A wall at which nothing is tried: what the attempt needs is not even created. */
export function isAdmission({ symptom }: Pick<Wall, 'symptom'>): boolean {
  return symptom === 'admission-refused'
}

/** The layers that a scenario is about and that are off, so that there is nothing to try. */
export function missing({ needs = [] }: Pick<Scenario, 'needs'>, on: ReadonlySet<string>): readonly string[] {
  return needs.filter((layer) => !on.has(layer))
}

function stands(wall: Wall, on: ReadonlySet<string>): boolean {
  if (!alwaysOn.has(wall.layer) && !on.has(wall.layer)) return false
  const { when } = wall
  return (when?.on ?? []).every((layer) => on.has(layer)) && !(when?.off ?? []).some((layer) => on.has(layer))
}

export function layersOn(layers: readonly LayerState[]): ReadonlySet<string> {
  return new Set(layers.filter((layer) => layer.on).map((layer) => layer.name))
}
