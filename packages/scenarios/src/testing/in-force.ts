import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseManifests, type Resource } from '@bulkhead/resources'
import { compile, type Snapshot } from '@bulkhead/verdict'
import { loadScenarios } from '../load.js'
import type { Scenario } from '../types.js'
import { allLayers, resources } from './repository.js'

/* This repository's scenarios, and what is in force for one of them under any set of layers. */

export const root = resolve(import.meta.dirname, '../../../..')

export const scenarios = await loadScenarios(join(root, 'scenarios'), { layers: allLayers })

/** A scenario, as far as it changes what is in force. */
export type Brings = { readonly [part in 'given' | 'change']?: Scenario[part] | undefined }

/** What is in force for a scenario: the layers that are on, and what it brings or takes out, before and during. */
function inForce({ given, change }: Brings, on: readonly string[], base: readonly Resource[]): readonly Resource[] {
  const without = new Set([...(given?.without ?? []), ...(change?.without ?? [])])
  const kept = base.filter(({ id, layer }) => (layer === undefined || on.includes(layer)) && !without.has(id))
  const brought = broughtBy({ given, change })
  // What is brought stands in the place of what has its name, as an apply puts it there.
  const names = new Set(brought.map(({ id }) => id))
  return [...kept.filter(({ id }) => !names.has(id)), ...brought]
}

/** What it adds, or puts in the place of what has its name. */
export function broughtBy({ given, change }: Brings): readonly Resource[] {
  return [...(given?.manifests ?? []), ...(change?.manifests ?? [])].flatMap(readOnce)
}

const files = new Map<string, readonly Resource[]>()
function readOnce(file: string): readonly Resource[] {
  const known = files.get(file)
  if (known !== undefined) return known
  const read = parseManifests(readFileSync(join(root, file), 'utf8'), file)
  assert.deepEqual(read.diagnostics, [], `${file} is sound`)
  files.set(file, read.resources)
  return read.resources
}

/** Of what scenarios bring along, as much is kept as those beside each other share. */
const mostKept = 8

/**
 * Most scenarios bring nothing along, so what is in force is compiled once for each combination, and kept. What a scenario
 * brings comes after that, as on a target: a waypoint that was ready before is one that was ready once.
 */
export function snapshotsOf(
  base: readonly Resource[] = resources,
): (scenario: Brings, on: readonly string[]) => Snapshot {
  const alone = new Map<string, Snapshot>()
  const brought = new Map<string, Snapshot>()
  return ({ given, change }, on) => {
    const layersKey = on.join()
    const previous = alone.get(layersKey) ?? compile(inForce({}, on, base))
    alone.set(layersKey, previous)
    if (given === undefined && change === undefined) return previous
    const key = JSON.stringify([on, given, change])
    const snapshot = brought.get(key) ?? compile(inForce({ given, change }, on, base), { previous })
    brought.set(key, snapshot)
    const [oldest] = brought.keys()
    if (oldest !== undefined && brought.size > mostKept) brought.delete(oldest)
    return snapshot
  }
}
