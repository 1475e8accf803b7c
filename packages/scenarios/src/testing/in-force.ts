import { join, resolve } from 'node:path'
import type { Resource } from '@bulkhead/resources'
import type { Snapshot } from '@bulkhead/verdict'
import { type Brings, readBrought, broughtBy as select } from '../judge/brought.js'
import { snapshotsOf as snapshots } from '../judge/snapshots.js'
import { loadScenarios } from '../load.js'
import { allLayers, resources } from './repository.js'

/* This repository's scenarios, and what is in force for one of them under any set of layers. */

export const root = resolve(import.meta.dirname, '../../../..')

export const scenarios = await loadScenarios(join(root, 'scenarios'), { layers: allLayers })

export const brought = await readBrought(scenarios, root)

/** What it adds, or puts in the place of what has its name. */
export const broughtBy = (brings: Brings): readonly Resource[] => select(brings, brought)

export const snapshotsOf = (
  base: readonly Resource[] = resources,
): ((scenario: Brings, on: readonly string[]) => Snapshot) => snapshots(base, brought)
