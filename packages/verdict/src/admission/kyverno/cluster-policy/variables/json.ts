import { isDict, isList } from '../data.js'
import { type Budget, MAX_TEXT, NotModelled } from '../limits.js'

const MAX_DEPTH = 1_000

/** JSON as Go writes it: keys by name, `<`, `>` and `&` escaped. Bounded: an expression may put one value in many places. */
export function goJson(value: unknown, budget: Budget | undefined, depth = 0): string {
  budget?.spend()
  if (depth > MAX_DEPTH) throw new NotModelled(`a value nested deeper than ${MAX_DEPTH} levels, written as text`)
  const text = isList(value)
    ? `[${value.map((item) => goJson(item, budget, depth + 1)).join(',')}]`
    : isDict(value)
      ? `{${Object.keys(value)
          .sort()
          .map((key) => `${quoted(key)}:${goJson(value[key], budget, depth + 1)}`)
          .join(',')}}`
      : typeof value === 'string'
        ? quoted(value)
        : JSON.stringify(value ?? null)
  if (text.length > MAX_TEXT) throw new NotModelled(`a value of more than ${MAX_TEXT} characters as text`)
  return text
}

const escapes: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' }

function quoted(text: string): string {
  return JSON.stringify(text)
    .replace(/[<>&]/g, (sign) => escapes[sign] ?? sign)
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029')
}
