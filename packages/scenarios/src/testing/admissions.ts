import type { Resource } from '@bulkhead/resources'
import { admissionsOf } from '../judge/admissions.js'
import type { Brings } from '../judge/brought.js'
import type { View } from '../result.js'
import type { Admitted } from '../types.js'
import { brought } from './in-force.js'
import { allLayers, layers, resources } from './repository.js'

/* What admission says of what scenarios bring along, by this repository's policies: with layer 10, or with Pod Security alone. */

const admissions = admissionsOf(resources, brought)
const layersWith = (on: boolean): readonly string[] => (on ? allLayers : layers)

/** Each object as kubectl would create it, or change it where it is there. */
export const admitAll = (some: readonly Resource[], on: boolean): readonly Admitted[] =>
  admissions.admit(some, layersWith(on))

/** What becomes of what a scenario brings along; undefined where it is let in. */
export const refusalOf = (scenario: Brings, on: boolean): View | undefined =>
  admissions.refusal(scenario, layersWith(on))
