import { ControlClient } from '@bulkhead/control'
import type { Io } from '../io.js'
import { stateDirectory } from '../places.js'

/** The running target of `--state DIR`, or of this clone. Throws a sentence when there is none. */
export function findTarget(io: Io, options: { readonly state?: string }): ControlClient {
  return ControlClient.find(stateDirectory(io, options.state))
}
