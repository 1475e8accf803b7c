import { CliError, type Io } from './io.js'
import type { OnOption, StateOption } from './options.js'
import { shellWord } from './places.js'

/** Completes a text's command lines; `escaped` writes words as the text's form has them. */
export type Typed = (text: string, escaped?: (words: string) => string) => string

/**
 * What is said to be typed, for the cluster that a command was given: with its `--state DIR`, since else another cluster would be meant,
 * or none.
 */
export async function typedFor(io: Io, options: StateOption): Promise<Typed> {
  if (options.state === undefined) return (text) => text
  const [{ forPlace }, { clusterPlace }] = await Promise.all([
    import('@bulkhead/kind-cluster/place'),
    import('./cluster/own-place.js'),
  ])
  try {
    const place = clusterPlace(io, options)
    return (text, escaped) => forPlace(text, place, escaped)
  } catch (error) {
    // Outside of a clone there is no such place, which is what its reader is told.
    if (error instanceof CliError) return (text) => text
    throw error
  }
}

/** The options of a command that say which target is meant, for the next command to be typed. */
export const sameTarget = ({ on, state }: OnOption & StateOption): string =>
  `${on === 'kind' ? ' --on kind' : ''}${state === undefined ? '' : ` --state ${shellWord(state)}`}`
