import type { Resource } from '@bulkhead/resources'
import type { LayerState } from '@bulkhead/scenarios'
import type { Place } from '../place.js'
import { commandsFor } from '../plan/commands.js'
import { type LayerName, layerNames, layerOff, layerOn } from '../plan/layers.js'
import type { Tools } from '../tools.js'
import { TargetError } from './errors.js'
import { asked } from './live/index.js'
import { keyOf } from './live/raw.js'

/** A layer on the cluster: whether it is there, and what of it is not. */
export interface ClusterLayer extends LayerState {
  /** Ids of its objects that are not there. With some, and not all, it is half a wall, and counts as off. */
  readonly missing: readonly string[]
  /** Ids of its objects that are not as their files say. */
  readonly drifted: readonly string[]
}

/** A layer is on when all its objects are there: a wall with a gap is none that a scenario could count on. */
export function layersOf(
  files: readonly Resource[],
  missing: readonly string[],
  drifted: readonly string[],
): readonly ClusterLayer[] {
  const byName = new Map<string, Resource[]>()
  for (const resource of files) {
    if (resource.layer === undefined) continue
    const same = byName.get(resource.layer) ?? []
    byName.set(resource.layer, [...same, resource])
  }
  const [gone, changed] = [new Set(missing), new Set(drifted)]
  return [...byName]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, objects]) => {
      const ids = objects.map(({ id }) => id)
      const without = ids.filter((id) => gone.has(id))
      const there = new Set(objects.map(({ id, object }) => keyOf(id, object)))
      return {
        name,
        on: without.length === 0,
        objects: there.size,
        missing: without,
        drifted: ids.filter((id) => changed.has(id)),
      }
    })
}

export interface Switch {
  readonly on?: readonly string[]
  readonly off?: readonly string[]
}

/** @returns the layers that are to be put up and taken down, in the order in which that is done */
export function switchedOf(
  { on = [], off = [] }: Switch,
  layers: readonly ClusterLayer[],
): { on: readonly LayerName[]; off: readonly LayerName[] } {
  const [up, down] = [on, off].map((names) => new Set(names.map((name) => findLayer(name, layers))))
  const both = [...(up ?? [])].find((name) => down?.has(name))
  if (both !== undefined) throw new TargetError('unknown-layer', `the layer ${both} is to be on and off at once.`)
  // Down in the order that is up's, backwards: nobody waits for what has gone before.
  return {
    on: layerNames.filter((name) => up?.has(name)),
    off: layerNames.filter((name) => down?.has(name)).toReversed(),
  }
}

/** By its name, its number, or the word behind the number. @throws TargetError `unknown-layer` */
export function findLayer(wanted: string, layers: readonly { readonly name: string }[]): string {
  const exact = layers.find(({ name }) => name === wanted)
  const close = layers.filter(({ name }) => name.split('-').includes(wanted))
  const found = exact ?? (close.length === 1 ? close[0] : undefined)
  if (found !== undefined) return found.name
  const names = layers.map(({ name }) => name).join(', ')
  throw new TargetError('unknown-layer', `there is no layer ${JSON.stringify(wanted)}; there are ${names}.`)
}

/** Runs the commands that `cluster up --plan` prints for them. @throws TargetError `kubectl` */
export async function switchLayers(
  { on, off }: ReturnType<typeof switchedOf>,
  { tools, place, signal }: { readonly tools: Tools; readonly place: Place; readonly signal?: AbortSignal },
): Promise<void> {
  const commands = commandsFor(place)
  const actions = [...off.flatMap((name) => layerOff(commands, name)), ...on.flatMap((name) => layerOn(commands, name))]
  for (const action of actions) await asked(tools, action.command, signal)
}
