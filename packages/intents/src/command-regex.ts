import { RE2JS, RE2JSSyntaxException } from 're2js'

/** Characters of an expression (contract M12). */
export const MAX_REGEX_LENGTH = 256
/** Instructions of what it compiles to: RE2's time is text times program, and `a[ab]{900}` is short to write. */
export const MAX_REGEX_PROGRAM = 300
/** Characters of a command line that are looked at: its end is rarely what tells a program, and it may be a megabyte. */
export const MAX_COMMAND_LINE = 4096
/** Answers that one expression keeps. */
const MAX_KNOWN = 1_000

/** An expression over the command lines of containers: RE2, found anywhere in the line, upper and lower case apart. */
export interface CommandRegex {
  matches(commandLine: string): boolean
}

/**
 * Reads an expression that came from outside. JavaScript's own engine backtracks, and reads another language, so it never sees it.
 * A string is what is wrong with it, for people.
 */
export function readCommandRegex(source: string): CommandRegex | string {
  if (source.length > MAX_REGEX_LENGTH) return `is longer than ${MAX_REGEX_LENGTH} characters`
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(source)
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error
    return `is no RE2 expression (${error.message.replace(/^error parsing regexp: /, '')}); look-around and back references are not in RE2`
  }
  if (compiled.programSize() > MAX_REGEX_PROGRAM) {
    return `is too large once its repeats are written out (${compiled.programSize()} steps, at most ${MAX_REGEX_PROGRAM})`
  }
  // The containers of a Deployment share one line, and clusters have far fewer lines than pods. Still, whoever runs may call himself
  // something else every moment.
  const known = new Map<string, boolean>()
  return {
    matches(commandLine) {
      const line = commandLine.length > MAX_COMMAND_LINE ? commandLine.slice(0, MAX_COMMAND_LINE) : commandLine
      let answer = known.get(line)
      if (answer === undefined) {
        answer = compiled.test(line)
        if (known.size >= MAX_KNOWN) known.clear()
        known.set(line, answer)
      }
      return answer
    },
  }
}
