import { RE2JS, RE2JSSyntaxException } from 're2js'
import { pairsOf } from '../data.js'
import { MAX_TEXT, NotModelled } from '../limits.js'
import { parseImage } from '../values/image.js'
import { satisfies } from '../values/semver.js'
import { wildcardMatches } from '../values/wildcard.js'
import { complain, list, number, text, textOrNumber } from './arguments.js'
import type { FunctionTable } from './functions.js'
import { goJson } from './json.js'

export const texts: FunctionTable = {
  compare: [2, (given) => ordered(text('compare', given, 0), text('compare', given, 1))],
  join: [
    2,
    (given) => {
      const parts = list('join', given, 1)
      if (!parts.every((part) => typeof part === 'string')) return complain('join', 'invalid type, must be strings')
      const sign = text('join', given, 0)
      fits(parts.reduce((sum, part) => sum + part.length + sign.length, 0))
      return parts.join(sign)
    },
  ],
  equal_fold: [2, (given) => folded(text('equal_fold', given, 0)) === folded(text('equal_fold', given, 1))],
  replace: [
    4,
    (given) => {
      const [from, old, by] = [text('replace', given, 0), text('replace', given, 1), text('replace', given, 2)]
      return replaced(from, old, by, number('replace', given, 3))
    },
  ],
  replace_all: [
    3,
    (given) =>
      replaced(text('replace_all', given, 0), text('replace_all', given, 1), text('replace_all', given, 2), -1),
  ],
  to_upper: [1, (given) => text('to_upper', given, 0).toUpperCase()],
  to_lower: [1, (given) => text('to_lower', given, 0).toLowerCase()],
  trim: [2, (given) => trimmed(text('trim', given, 0), text('trim', given, 1))],
  trim_prefix: [
    2,
    (given) => {
      const [from, prefix] = [text('trim_prefix', given, 0), text('trim_prefix', given, 1)]
      return from.startsWith(prefix) ? from.slice(prefix.length) : from
    },
  ],
  split: [
    2,
    (given, budget) => {
      const parts = text('split', given, 0).split(text('split', given, 1))
      budget?.spend(parts.length)
      return parts
    },
  ],
  truncate: [
    2,
    (given) => {
      const characters = Array.from(text('truncate', given, 0))
      return characters.slice(0, Math.max(0, Math.trunc(number('truncate', given, 1)))).join('')
    },
  ],
  regex_match: [
    2,
    (given) =>
      expression('regex_match', given)
        .matcher(textOrNumber('regex_match', given, 1))
        .find(),
  ],
  regex_replace_all: [3, (given) => regexReplaced('regex_replace_all', given, expanded)],
  regex_replace_all_literal: [3, (given) => regexReplaced('regex_replace_all_literal', given, (by) => by)],
  pattern_match: [
    2,
    (given) => wildcardMatches(text('pattern_match', given, 0), textOrNumber('pattern_match', given, 1)),
  ],
  to_boolean: [
    1,
    (given) => {
      const from = text('to_boolean', given, 0)
      const lower = from.toLowerCase()
      if (lower === 'true' || lower === 'false') return lower === 'true'
      return complain('to_boolean', `lowercase argument must be 'true' or 'false' (provided: '${from}')`)
    },
  ],
  to_string: [1, ([value], budget) => (typeof value === 'string' ? value : goJson(value, budget))],
  base64_decode: [
    1,
    (given) => {
      const from = text('base64_decode', given, 0).replace(/[\r\n]/g, '')
      if (from.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(from))
        return complain('base64_decode', 'illegal base64 data')
      return new TextDecoder().decode(Uint8Array.from(atob(from), (sign) => sign.charCodeAt(0)))
    },
  ],
  base64_encode: [1, (given) => base64(text('base64_encode', given, 0))],
  path_canonicalize: [1, (given) => canonical(text('path_canonicalize', given, 0))],
  semver_compare: [
    2,
    (given) => {
      const answer = satisfies(text('semver_compare', given, 0), text('semver_compare', given, 1))
      return answer ?? complain('semver_compare', `${JSON.stringify(given[1])} is no range of versions`)
    },
  ],
  image_normalize: [
    1,
    (given) => {
      const image = parseImage(text('image_normalize', given, 0))
      return image?.reference ?? complain('image_normalize', `bad image: ${text('image_normalize', given, 0)}`)
    },
  ],
  is_external_url: [1, (given) => external(text('is_external_url', given, 0))],
}

function ordered(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

function folded(value: string): string {
  return value.toLowerCase().toUpperCase()
}

/** @param count how often at most; below zero: everywhere. */
function replaced(from: string, old: string, by: string, count: number): string {
  const limit = count < 0 ? Number.POSITIVE_INFINITY : Math.trunc(count)
  // Without a text to look for, it stands before every character and at the end.
  const parts = old === '' ? ['', ...Array.from(from), ''] : from.split(old)
  const times = Math.min(limit, parts.length - 1)
  fits(from.length + times * by.length)
  return `${parts.slice(0, times + 1).join(by)}${parts
    .slice(times + 1)
    .map((rest) => `${old}${rest}`)
    .join('')}`
}

function fits(length: number): void {
  if (length > MAX_TEXT * 4)
    throw new NotModelled(`a function that makes a text of ${length} characters, more than ${MAX_TEXT},`)
}

function trimmed(from: string, signs: string): string {
  const cut = new Set(signs)
  const characters = Array.from(from)
  let [start, end] = [0, characters.length]
  while (start < end && cut.has(characters[start] ?? '')) start++
  while (end > start && cut.has(characters[end - 1] ?? '')) end--
  return characters.slice(start, end).join('')
}

const MAX_KEPT = 500
const kept = new Map<string, RE2JS>()

function expression(name: string, given: readonly unknown[]): RE2JS {
  const source = text(name, given, 0)
  const known = kept.get(source)
  if (known !== undefined) return known
  try {
    const compiled = RE2JS.compile(source)
    if (kept.size >= MAX_KEPT) kept.clear()
    kept.set(source, compiled)
    return compiled
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return complain(name, error.message)
    throw error
  }
}

type Groups = readonly (string | undefined)[]

function regexReplaced(
  name: string,
  given: readonly unknown[],
  write: (by: string, groups: Groups, named: Readonly<Record<string, string>>) => string,
): string {
  const [from, by] = [textOrNumber(name, given, 1), textOrNumber(name, given, 2)]
  let made = 0
  return expression(name, given)
    .matcher(from)
    .replaceAll((...found: readonly unknown[]) => {
      const named = found.at(-1)
      const groups = found.filter((one) => one === undefined || typeof one === 'string')
      const text = write(by, groups, pairsOf(named))
      made += text.length
      fits(made)
      return text
    })
}

/** Go's templates: `$1`, `${1}`, `${name}`; the longest name that is possible. */
function expanded(by: string, groups: Groups, named: Readonly<Record<string, string>>): string {
  return by.replace(/\$\$|\$(\w+)|\$\{(\w+)\}/g, (written, plain?: string, braced?: string) => {
    const name = plain ?? braced
    if (name === undefined) return written === '$$' ? '$' : written
    return (/^\d+$/.test(name) ? groups[Number(name)] : named[name]) ?? ''
  })
}

function base64(from: string): string {
  let bytes = ''
  for (const byte of new TextEncoder().encode(from)) bytes += String.fromCharCode(byte)
  return btoa(bytes)
}

/** `filepath.Join`: without `.`, `..` and slashes that say nothing. */
function canonical(path: string): string {
  if (path === '') return ''
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (part !== '..' || !path.startsWith('/')) parts.push(part)
  }
  const joined = parts.join('/')
  return path.startsWith('/') ? `/${joined}` : joined === '' ? '.' : joined
}

/** Kyverno asks its resolver for the name; an address needs none. */
function external(address: string): boolean {
  let host: string
  try {
    host = new URL(address).hostname
  } catch {
    return complain('is_external_url', `${address} is no URL`)
  }
  const found = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(host)
  if (found === null) throw new NotModelled(`is_external_url() of ${host}, which would be looked up,`)
  const [first, second] = [Number(found[1]), Number(found[2])]
  const inside = first === 127 || first === 10 || (first === 192 && second === 168)
  return !inside && !(first === 172 && second >= 16 && second < 32)
}
