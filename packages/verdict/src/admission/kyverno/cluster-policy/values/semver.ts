/*
 * Versions and ranges of them: `>=1.2.0 <2.0.0 || 3.x`. Versions compare by semver.org's rules.
 */

interface Version {
  readonly numbers: readonly [bigint, bigint, bigint]
  readonly pre: readonly string[]
}

const syntax = /^(\d{1,18})\.(\d{1,18})\.(\d{1,18})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/
const nothing: Version = { numbers: [0n, 0n, 0n], pre: [] }

export function parseVersion(text: string): Version | undefined {
  const found = text.length > 200 ? null : syntax.exec(text)
  if (found === null) return undefined
  const [, major = '0', minor = '0', patch = '0', pre] = found
  return { numbers: [BigInt(major), BigInt(minor), BigInt(patch)], pre: pre?.split('.') ?? [] }
}

export function compareVersions(one: Version, other: Version): number {
  for (const [index, value] of one.numbers.entries()) {
    const against = other.numbers[index] ?? 0n
    if (value !== against) return value < against ? -1 : 1
  }
  // Before the release itself come its pre-releases.
  if (one.pre.length === 0 || other.pre.length === 0)
    return other.pre.length - one.pre.length > 0 ? 1 : other.pre.length - one.pre.length < 0 ? -1 : 0
  for (let index = 0; index < Math.max(one.pre.length, other.pre.length); index++) {
    const difference = compareParts(one.pre[index], other.pre[index])
    if (difference !== 0) return difference
  }
  return 0
}

function compareParts(one: string | undefined, other: string | undefined): number {
  if (one === other) return 0
  if (one === undefined) return -1
  if (other === undefined) return 1
  const [left, right] = [/^\d+$/.test(one), /^\d+$/.test(other)]
  if (left !== right) return left ? -1 : 1
  if (left) return BigInt(one) < BigInt(other) ? -1 : BigInt(one) > BigInt(other) ? 1 : 0
  return one < other ? -1 : 1
}

/** undefined: the range is none. A version that is none counts as 0.0.0, as in Kyverno. */
export function satisfies(version: string, range: string): boolean | undefined {
  const given = parseVersion(version) ?? nothing
  const answers = range.split('||').map((either) => all(given, either.trim()))
  return answers.includes(undefined) ? undefined : answers.includes(true)
}

function all(given: Version, terms: string): boolean | undefined {
  if (terms === '') return undefined
  const answers = terms
    .replace(/([<>=!]+)\s+/g, '$1')
    .split(/\s+/)
    .map((term) => one(given, term))
  return answers.includes(undefined) ? undefined : !answers.includes(false)
}

function one(given: Version, term: string): boolean | undefined {
  const found = /^(>=|<=|==|!=|>|<|=|!)?(.+)$/.exec(term)
  const [, operator = '=', wanted = ''] = found ?? []
  const open = /^(\d+)(?:\.(\d+|x))?(?:\.x)?$/.exec(wanted)
  if (open !== null && wanted.includes('x')) return wildcard(given, operator, open[1] ?? '0', open[2])
  const against = parseVersion(wanted)
  if (against === undefined) return undefined
  const difference = compareVersions(given, against)
  switch (operator) {
    case '>':
      return difference > 0
    case '>=':
      return difference >= 0
    case '<':
      return difference < 0
    case '<=':
      return difference <= 0
    case '!':
    case '!=':
      return difference !== 0
    default:
      return difference === 0
  }
}

/** `1.x`, `1.2.x`: from its first version to before the next one. */
function wildcard(given: Version, operator: string, major: string, minor: string | undefined): boolean {
  const fixed = minor !== undefined && minor !== 'x'
  const [first, second] = [BigInt(major), fixed ? BigInt(minor) : 0n]
  const from: Version = { numbers: [first, second, 0n], pre: [] }
  const to: Version = { numbers: fixed ? [first, second + 1n, 0n] : [first + 1n, 0n, 0n], pre: [] }
  const [below, above] = [compareVersions(given, from) < 0, compareVersions(given, to) >= 0]
  if (operator === '>') return above
  if (operator === '>=') return !below
  if (operator === '<') return below
  if (operator === '<=') return !above
  return operator.startsWith('!') ? below || above : !below && !above
}
