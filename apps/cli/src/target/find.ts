import { ControlClient, ControlError } from '@bulkhead/control'
import type { Io } from '../io.js'
import { shellWord, stateDirectory } from '../places.js'

/** The running target of `--state DIR`, or of this clone. Throws a sentence when there is none. */
export function findTarget(io: Io, options: { readonly state?: string }): ControlClient {
  try {
    return ControlClient.find(stateDirectory(io, options.state))
  } catch (error) {
    if (options.state === undefined || !(error instanceof ControlError) || error.code !== 'not-up') throw error
    // Without the folder another target would be started, and this one still not be there.
    const start = `\`npm start -- --state ${shellWord(options.state)}\``
    throw new ControlError(
      error.code,
      error.message.replace(/npm start(?=\.$)/, () => start),
    )
  }
}
