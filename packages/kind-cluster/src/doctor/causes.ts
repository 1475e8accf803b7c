import { clusterCauses } from './causes-cluster.js'
import { machineCauses } from './causes-machine.js'
import { networkCauses } from './causes-network.js'
import { type Platform, platformOf } from './platform.js'

/** What is likely behind a failure, for a reader. */
export interface Cause {
  /** Stable, for programs. */
  readonly id: string
  /** What is the matter, in a sentence or two. */
  readonly cause: string
  /** What to do about it: sentences, in order; command lines stand between backticks. */
  readonly remedy: readonly string[]
  /** The line that gave it away. */
  readonly line: string
}

/** One thing that goes wrong, and how what a tool says of it is known. Texts change from version to version: the pattern knows several. */
export interface KnownCause {
  readonly id: string
  readonly seen: RegExp
  readonly cause: string | ((found: RegExpExecArray) => string)
  readonly remedy: readonly string[] | Readonly<Record<Platform, readonly string[]>>
}

/** The first that fits is taken: what is behind a failure before what merely follows from it. */
export const knownCauses: readonly KnownCause[] = [...machineCauses, ...clusterCauses, ...networkCauses]

/** Of a very long text this much is read at either end. */
const READ = 64 * 1024

/** The likely cause of what a tool said; undefined where it is none that is known. */
export function causeOf(text: string, platform: Platform = platformOf()): Cause | undefined {
  const said = text.length > 2 * READ ? `${text.slice(0, READ)}\n${text.slice(-READ)}` : text
  for (const { id, seen, cause, remedy } of knownCauses) {
    const found = seen.exec(said)
    if (found === null) continue
    return {
      id,
      cause: typeof cause === 'string' ? cause : cause(found),
      remedy: onPlatform(remedy, platform),
      line: lineAt(said, found.index),
    }
  }
  return undefined
}

/** What is to be done about a cause that was found without a tool's word. */
export function remedyOf(id: string, platform: Platform): readonly string[] {
  const known = knownCauses.find((one) => one.id === id)
  return known === undefined ? [] : onPlatform(known.remedy, platform)
}

const onPlatform = (remedy: KnownCause['remedy'], platform: Platform): readonly string[] =>
  isList(remedy) ? remedy : remedy[platform]

const isList = (remedy: KnownCause['remedy']): remedy is readonly string[] => Array.isArray(remedy)

function lineAt(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset) + 1
  const end = text.indexOf('\n', offset)
  return text.slice(start, end === -1 ? undefined : end).trim()
}
