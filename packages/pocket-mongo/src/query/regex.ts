import { BSONRegExp } from 'bson'
import { RE2JS, RE2JSSyntaxException } from 're2js'
import { MongoError } from '../errors.js'

const flagsOf: Readonly<Record<string, number>> = {
  i: RE2JS.CASE_INSENSITIVE,
  m: RE2JS.MULTILINE,
  s: RE2JS.DOTALL,
  u: 0,
}

/**
 * A test for strings, linear in their length: an expression that a client sends must not hold the server up. MongoDB's own
 * engine is PCRE2; what RE2 has not (look-around, back references, the option `x`) is refused.
 *
 * @throws MongoError Location51091, Location51108 (an option that is none), BadValue
 */
export function compileRegex(pattern: string, options: string): (text: string) => boolean {
  let flags = 0
  for (const option of options) {
    const flag = flagsOf[option]
    if (option === 'x')
      throw new MongoError('Location51091', "the regex option 'x' is not supported by this server, which reads RE2")
    if (flag === undefined) throw new MongoError('Location51108', `invalid flag in regex options: ${option}`)
    flags |= flag
  }
  if (pattern.includes('\0'))
    throw new MongoError('BadValue', 'Regular expression cannot contain an embedded null byte')
  try {
    const compiled = RE2JS.compile(pattern, flags)
    return (text) => compiled.test(text)
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error
    throw new MongoError(
      'Location51091',
      `Regular expression is invalid: ${error.message} (this server reads RE2: no look-around, no back references)`,
    )
  }
}

/** A regular expression as a value: bson's class, or JavaScript's. */
export function regexOf(value: unknown): { readonly pattern: string; readonly options: string } | undefined {
  if (value instanceof BSONRegExp) return { pattern: value.pattern, options: value.options }
  if (value instanceof RegExp) return { pattern: value.source, options: value.flags.replace(/[gyd]/g, '') }
  return undefined
}
