import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { ToolName } from '../tools.js'

/** What a stand-in does when it is called with these arguments. Without anything else: says nothing, exits with 0. */
export interface StandInAnswer {
  /** A regular expression for the arguments, joined by spaces. */
  readonly args: string
  readonly stdout?: string
  readonly stderr?: string
  /** Each line of `stdout` this often. */
  readonly times?: number
  readonly code?: number
  /** Ends itself by this signal, after what it had to say. */
  readonly signal?: NodeJS.Signals
  /** Does not end. `deaf`: not when it is asked to, either; `tidies`: it takes a moment then, and says `tidied`. */
  readonly hangs?: 'hears' | 'deaf' | 'tidies'
  /** Starts a process that hangs, deaf, and holds its output; `leaves` lets it be and ends. */
  readonly child?: 'stays' | 'leaves'
  /** Ends without having read its stdin. */
  readonly ignoresStdin?: boolean
}

/** One call, as it was made. */
export interface WasAsked {
  readonly tool: string
  readonly args: readonly string[]
  readonly stdin: string
  readonly cwd: string
  /** Those of the environment that say which cluster or engine is meant. */
  readonly env: Readonly<Record<string, string>>
  /** The process, and the one that it has started. */
  readonly pid: number
  readonly child?: number
}

export interface StandIns {
  /** For PATH: the stand-ins first, then nothing but what a shell script needs. */
  readonly path: string
  asked(): readonly WasAsked[]
  /** Other answers from now on. */
  answer(tool: ToolName, answers: readonly StandInAnswer[]): void
}

const main = join(import.meta.dirname, 'stand-in-main.js')
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/**
 * Writes programs under the tools' names into a folder: each writes down how it was called and answers from its table, first match
 * first. What is not in it: exit 97, with a word on stderr.
 */
export function standIns(
  folder: string,
  tables: Readonly<Partial<Record<ToolName, readonly StandInAnswer[]>>>,
): StandIns {
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  const answer: StandIns['answer'] = (tool, answers) => {
    writeFileSync(join(folder, `${tool}.json`), JSON.stringify(answers))
    const words = [process.execPath, main, folder, tool].map(quoted).join(' ')
    writeFileSync(join(bin, tool), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 })
  }
  for (const tool of Object.keys(tables) as ToolName[]) answer(tool, tables[tool] ?? [])
  const record = join(folder, 'asked.jsonl')
  return {
    path: [bin, '/usr/bin', '/bin'].join(delimiter),
    answer,
    asked: () =>
      (existsSync(record) ? readFileSync(record, 'utf8') : '')
        .split('\n')
        .filter((line) => line !== '')
        .map((line): WasAsked => JSON.parse(line)),
  }
}
