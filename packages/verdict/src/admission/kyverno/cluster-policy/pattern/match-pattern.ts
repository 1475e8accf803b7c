import { isDict, isList } from '../data.js'
import type { Budget } from '../limits.js'
import { goText, goType } from '../values/go.js'
import { type Anchor, parseAnchor } from './anchor.js'
import { expandKeys } from './labels.js'
import { anchorProblem, combine, is, type Problem, pathText, problem, skips } from './problem.js'
import { valueMatches } from './value.js'

/*
 * validate.pattern: an object held against a tree of the same shape (semantics E.1). Anchors of an object are asked before
 * its other keys; the answer is the first thing that does not fit, in the order in which Kyverno looks.
 */

type Path = readonly (string | number)[]
type Keys = Readonly<Record<string, unknown>>

/** `skip`: the pattern's conditions are not met. `error`: Kyverno blames the policy, and has no path. */
export interface PatternAnswer {
  readonly outcome: 'pass' | 'fail' | 'skip' | 'error'
  readonly text: string
  readonly path?: Path
}

interface Walk {
  readonly budget: Budget
  /** For each anchor that asks for a key: whether any object on the way has it. */
  readonly asked: Map<string, boolean>
}

export function matchPattern(object: unknown, pattern: unknown, budget: Budget): PatternAnswer {
  const walk: Walk = { budget, asked: new Map() }
  const found = element(object, pattern, [], walk)
  if (found === undefined) return { outcome: 'pass', text: '' }
  const { text, path } = found
  if (skips(found)) return { outcome: 'skip', text }
  const lost = !is(found, 'negation') && [...walk.asked.values()].includes(false)
  return lost || path === undefined ? { outcome: 'error', text } : { outcome: 'fail', text, path }
}

function element(value: unknown, pattern: unknown, path: Path, walk: Walk): Problem | undefined {
  walk.budget.spend()
  if (isDict(pattern)) {
    if (!isDict(value)) {
      const types = `Expected ${goType(pattern)}, found ${goType(value)}`
      return problem(`pattern and resource have different structures. Path: ${pathText(path)}. ${types}`, path)
    }
    ask(pattern, value, walk)
    return object(value, pattern, path, walk)
  }
  if (isList(pattern)) {
    if (isList(value)) return list(value, pattern, path, walk)
    return problem(
      `validation rule failed at path ${pathText(path)}, resource does not satisfy the expected overlay pattern`,
      path,
    )
  }
  const fits = isList(value) ? value.every((item) => scalar(item, pattern, walk)) : scalar(value, pattern, walk)
  if (fits) return undefined
  return problem(
    `resource value '${goText(value)}' does not match '${goText(pattern)}' at path ${pathText(path)}`,
    path,
  )
}

function scalar(value: unknown, pattern: unknown, walk: Walk): boolean {
  walk.budget.spend(typeof value === 'string' ? 1 + value.length / 100 : 1)
  return valueMatches(value, pattern)
}

function ask(pattern: Keys, value: Keys, { asked }: Walk): void {
  for (const key of Object.keys(pattern)) {
    const anchor = parseAnchor(key)
    if (anchor?.type !== 'condition' && anchor?.type !== 'existence') continue
    if (asked.get(key) !== true) asked.set(key, Object.hasOwn(value, anchor.key))
  }
}

function object(value: Keys, written: Keys, path: Path, walk: Walk): Problem | undefined {
  const pattern = expandKeys(written, value)
  const keys = Object.keys(pattern).sort()
  const anchored = keys.filter((key) => {
    const type = parseAnchor(key)?.type
    return type !== undefined && type !== 'global' && type !== 'add'
  })
  const skipped: Problem[] = []
  let applied = 0
  for (const key of anchored) {
    const found = handle(key, pattern[key], value, path, walk)
    if (found === undefined) applied++
    else if (skips(found)) skipped.push(found)
    // What conditions leave out is not looked at, unless they only say so of elements of a list.
    else if (!skipped.some(({ combined }) => combined !== true)) return found
  }
  if (skipped.length > 0 && (applied === 0 || skipped.some(({ combined }) => combined !== true)))
    return combine(skipped, path)

  const rest = keys.filter((key) => !anchored.includes(key))
  for (const key of inOrder(rest, pattern)) {
    const found = handle(key, pattern[key], value, path, walk)
    if (found !== undefined) return found
  }
  return undefined
}

/** Global anchors and what holds anchors first, the last of them in front, then the rest by name. */
function inOrder(keys: readonly string[], pattern: Keys): readonly string[] {
  const order: string[] = []
  for (const key of keys) {
    if (parseAnchor(key)?.type === 'global' || holdsAnchors(pattern[key])) order.unshift(key)
    else order.push(key)
  }
  return order
}

const anchorsInside = new WeakMap<object, boolean>()

function holdsAnchors(pattern: unknown): boolean {
  if (typeof pattern !== 'object' || pattern === null) return false
  const known = anchorsInside.get(pattern)
  if (known !== undefined) return known
  const own = !isList(pattern) && Object.keys(pattern).some((key) => (parseAnchor(key)?.type ?? 'add') !== 'add')
  const holds = own || Object.values(pattern).some(holdsAnchors)
  anchorsInside.set(pattern, holds)
  return holds
}

function handle(key: string, pattern: unknown, value: Keys, path: Path, walk: Walk): Problem | undefined {
  const anchor = parseAnchor(key)
  if (anchor === undefined || anchor.type === 'add') return plain(key, pattern, value, path, walk)
  const at = [...path, anchor.key]
  if (!Object.hasOwn(value, anchor.key)) return missing(anchor, at)
  const given = value[anchor.key]
  switch (anchor.type) {
    case 'negation':
      return anchorProblem('negation', `${pathText(at)} is not allowed`, at)
    case 'equality':
      return element(given, pattern, at, walk)
    case 'existence':
      return existence(given, pattern, at, walk)
    default: {
      const found = element(given, pattern, at, walk)
      return found === undefined ? undefined : anchorProblem(anchor.type, found.text, found.path ?? at)
    }
  }
}

function missing({ type }: Anchor, at: Path): Problem | undefined {
  if (type !== 'condition') return undefined
  return anchorProblem('condition', "conditional anchor key doesn't exist in the resource", at)
}

function plain(key: string, pattern: unknown, value: Keys, path: Path, walk: Walk): Problem | undefined {
  const given = Object.hasOwn(value, key) ? value[key] : undefined
  if (pattern !== '*') return element(given, pattern, [...path, key], walk)
  if (given !== undefined && given !== null) return undefined
  return problem(`${pathText(path)}/${key} not found`, path)
}

function existence(value: unknown, pattern: unknown, path: Path, walk: Walk): Problem | undefined {
  if (!isList(value))
    return problem(
      `invalid resource type ${goType(value)}: Existence ^ () anchor can be used only on list/array type resource`,
      path,
    )
  if (!isList(pattern))
    return problem(
      `invalid pattern type ${goType(pattern)}: Pattern has to be of list to compare against resource`,
      path,
    )
  for (const wanted of pattern) {
    if (!isDict(wanted))
      return problem(
        `invalid pattern type ${goType(wanted)}: Pattern has to be of type map to compare against items in resource`,
        path,
      )
    if (!value.some((item, index) => element(item, wanted, [...path, index], walk) === undefined))
      return problem(`existence anchor validation failed at path ${pathText(path)}`, path)
  }
  return undefined
}

function list(value: readonly unknown[], pattern: readonly unknown[], path: Path, walk: Walk): Problem | undefined {
  const [first] = pattern
  if (pattern.length === 0) return problem('pattern Array empty', path)
  if (isDict(first)) return each(value, () => first, path, walk)
  if (!isList(first)) return element(value, first, path, walk)
  if (value.length < pattern.length) {
    const lengths = `resource Array len is ${value.length} and pattern Array len is ${pattern.length}`
    return problem(`validate Array failed, array length mismatch, ${lengths}`)
  }
  return each(value.slice(0, pattern.length), (index) => pattern[index], path, walk)
}

/** Every element has to fit; those whose conditions are not met are left out, and the list with them when there is no other. */
function each(
  value: readonly unknown[],
  pattern: (index: number) => unknown,
  path: Path,
  walk: Walk,
): Problem | undefined {
  const skipped: Problem[] = []
  for (const [index, item] of value.entries()) {
    const found = element(item, pattern(index), [...path, index], walk)
    if (found !== undefined && !skips(found)) return found
    if (found !== undefined) skipped.push(found)
  }
  return skipped.length > 0 && skipped.length === value.length ? combine(skipped, path) : undefined
}
