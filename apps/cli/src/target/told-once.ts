import type { ToldOnce } from '@bulkhead/local-cluster'
import { type Io, printable } from '../io.js'
import { shellWord, shownPath } from '../places.js'
import { styleOf } from '../style.js'

/** What was made for a person to know, for the terminal: shown at this start and at no later one. */
export function toldOnceText({ secret, values, file }: ToldOnce, io: Io): string {
  return [
    '',
    styleOf(io).bold(`Made at this start, and shown this once: ${secret}`),
    ...values.map(
      ({ key, value }) =>
        `  ${key.padEnd(Math.max(...values.map(({ key: other }) => other.length)))}  ${printable(value)}`,
    ),
    `  To read it again: cat ${shellWord(shownPath(io, file))}`,
  ].join('\n')
}

/** The same without the values, where a program reads what is said. */
export function keptText({ secret, file }: ToldOnce, io: Io): string {
  return `values for Secret ${secret} were made; to read them: cat ${shellWord(shownPath(io, file))}`
}
