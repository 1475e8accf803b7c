import type { Pins } from '../pins.js'
import type { Place } from '../place.js'
import type { Command, CommandResult, ToolError } from '../tools.js'
import type { KindConfig } from './kind-config.js'
import type { Platform } from './platform.js'

/** What a check came to. `skipped`: it cannot be seen from here, or nothing depends on it now. */
export type Status = 'ok' | 'warn' | 'fail' | 'skipped'

export interface Judgement {
  readonly status: Status
  /** What was found, in a sentence or less. */
  readonly found: string
  /** Why it matters. */
  readonly why?: string
  /** How to get or to mend it, on this machine: sentences in order, command lines between backticks. */
  readonly remedy?: readonly string[]
}

/** What became of a check's command. */
export type Seen =
  | { readonly kind: 'answered'; readonly result: CommandResult }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly error: ToolError }

/** One thing that is looked at. Checks are data: they are listed, run and tested one by one. */
export type Check = CommandCheck | LookCheck

interface CheckBase {
  /** Stable, for programs. */
  readonly id: string
  /** What it asks, as a question. */
  readonly asks: string
  /** Checks that have to have gone well before: what they found missing is not told twice. */
  readonly after?: readonly string[]
}

/** Asks a program. Checks that ask the same share the answer. */
export interface CommandCheck extends CheckBase {
  readonly command: Command
  /** Asked as well, since the first alone does not say it. */
  readonly besides?: Command
  judge(seen: Seen, besides: Seen | undefined): Judgement | Promise<Judgement>
}

/** Looks at the machine, or does something that is more than one command. */
export interface LookCheck extends CheckBase {
  look(signal: AbortSignal | undefined): Promise<Judgement>
}

/** What is seen of a machine without any of the tools. */
export interface Machine {
  readonly platform: Platform
  /** As release files are named: `amd64`, `arm64`. */
  readonly arch: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** A file of the system; undefined where there is none. */
  readText(path: string): string | undefined
  /** Free bytes of the disk that a folder is on; undefined where that cannot be seen. */
  freeBytes(path: string): Promise<number | undefined>
  /** Whether a program could listen there. */
  isFree(address: string, port: number): Promise<boolean>
}

export interface Ground {
  readonly machine: Machine
  readonly place: Place
  readonly pins: Pins
  readonly config: KindConfig
}

/** A check, and what it came to. */
export interface Finding extends Judgement {
  readonly id: string
  readonly asks: string
  readonly command?: Command
}
