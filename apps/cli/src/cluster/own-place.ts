import { type Place, placeOf } from '@bulkhead/kind-cluster/place'
import type { Io } from '../io.js'
import type { StateOption } from '../options.js'
import { findPlaces, stateDirectory } from '../places.js'

/** Where the cluster's things are. @throws CliError outside of a clone */
export const clusterPlace = (io: Io, { state }: StateOption): Place =>
  placeOf(findPlaces(io).root, stateDirectory(io, state))
