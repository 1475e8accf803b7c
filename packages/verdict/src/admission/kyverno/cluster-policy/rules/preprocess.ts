import { isDict, isList } from '../data.js'
import { type Budget, NotModelled } from '../limits.js'
import { type Anchor, anchorText, parseAnchor } from '../pattern/anchor.js'
import { matchPattern } from '../pattern/match-pattern.js'

/*
 * A strategic merge patch with anchors made into one without: conditions asked of the object, what is only to be added left
 * out where it is there, and each element of a list that conditions choose given the name of the element it is for.
 */

/** The patch, or undefined where its conditions are not met. */
export function preprocess(patch: unknown, object: unknown, budget: Budget): unknown {
  if (!isDict(patch)) return patch
  const copy = copied(patch)
  try {
    walk(copy, object, budget)
  } catch (error) {
    if (error instanceof Unmet) return undefined
    throw error
  }
  for (const [key, value] of Object.entries(copy))
    if (withoutAnchors(value, isCondition(parseAnchor(key)))) delete copy[key]
  return copy
}

/** Own data, to be changed in place. */
type Fields = Record<string, unknown>

class Unmet extends Error {
  override readonly name = 'Unmet'
  readonly isGlobal: boolean

  constructor(isGlobal: boolean) {
    super('a condition of the patch is not met')
    this.isGlobal = isGlobal
  }
}

function copied<T>(value: T): T & Fields {
  return structuredClone(value) as T & Fields
}

function isFields(value: unknown): value is Fields {
  return isDict(value)
}

function isCondition(anchor: Anchor | undefined): boolean {
  return anchor?.type === 'condition' || anchor?.type === 'global'
}

function isAnchored(anchor: Anchor | undefined): boolean {
  return isCondition(anchor) || anchor?.type === 'add'
}

function walk(patch: unknown, object: unknown, budget: Budget): void {
  budget.spend()
  if (isFields(patch)) {
    addIfAbsent(patch, object)
    checkConditions(patch, object, 'global', budget)
    checkConditions(patch, object, 'condition', budget)
    for (const [key, value] of Object.entries(patch)) {
      if (!isAnchored(parseAnchor(key))) walk(value, ofField(object, key), budget)
    }
  } else if (isList(patch) && isDict(patch[0])) walkList(patch as unknown[], object, budget)
}

function ofField(object: unknown, key: string): unknown {
  return isDict(object) && Object.hasOwn(object, key) ? object[key] : undefined
}

/** How many there were. */
function addIfAbsent(patch: Fields, object: unknown): number {
  let count = 0
  for (const key of Object.keys(patch)) {
    const anchor = parseAnchor(key)
    if (anchor?.type !== 'add') continue
    count++
    if (ofField(object, anchor.key) === undefined) patch[anchor.key] = patch[key]
    delete patch[key]
  }
  return count
}

function checkConditions(patch: Fields, object: unknown, type: 'global' | 'condition', budget: Budget): void {
  for (const key of Object.keys(patch)) {
    const anchor = parseAnchor(key)
    if (anchor?.type !== type) continue
    const given = ofField(object, anchor.key)
    if (given === undefined) throw new Unmet(type === 'global')
    const wanted = patch[key]
    if (isFields(wanted) && addIfAbsent(wanted, given) > 0) continue
    if (matchPattern(asText(given), asText(wanted), budget).outcome !== 'pass') throw new Unmet(type === 'global')
  }
}

/** A single value is compared as it is written. */
function asText(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
}

function walkList(patch: unknown[], object: unknown, budget: Budget): void {
  const elements = isList(object) ? object : []
  for (const written of [...patch]) {
    if (!holds(written, isAnchored)) continue
    const global = holds(written, (anchor) => anchor?.type === 'global')
    const copy = copied(written)
    let [met, unmet]: [boolean, Unmet | undefined] = [false, undefined]
    for (const element of object === undefined ? [undefined] : elements) {
      const failed = unmetBy(copy, element, budget)
      if (failed?.isGlobal === true && object !== undefined) unmet = failed
      else if (failed === undefined && global) met = true
      else if (failed === undefined && element !== undefined) append(patch, copy, element, budget)
      else if (failed?.isGlobal === true) throw failed
    }
    if (!met && unmet !== undefined) throw unmet
  }
}

function unmetBy(patch: unknown, element: unknown, budget: Budget): Unmet | undefined {
  try {
    walk(patch, element, budget)
    return undefined
  } catch (error) {
    if (error instanceof Unmet) return error
    throw error
  }
}

/** Without a name nobody could tell which element it is for. */
function append(list: unknown[], patch: unknown, element: unknown, budget: Budget): void {
  const name = ofField(element, 'name')
  if (name === undefined || name === null || name === '') return
  const made = copied(patch)
  budget.spend(10)
  if (!withoutAnchors(made, true)) list.push({ ...made, name })
}

function holds(value: unknown, test: (anchor: Anchor | undefined) => boolean): boolean {
  if (isList(value)) return value.some((item) => holds(item, test))
  if (typeof value === 'string') return isCondition(parseAnchor(value))
  if (!isDict(value)) return false
  return Object.entries(value).some(([key, item]) => test(parseAnchor(key)) || holds(item, test))
}

/** Whether nothing is left of it: a patch of nothing would take away what is there. */
function withoutAnchors(value: unknown, scalarToo: boolean): boolean {
  if (isList(value)) return emptied(value as unknown[])
  if (!isFields(value)) return scalarToo
  let kept = false
  for (const key of Object.keys(value)) {
    if (!isCondition(parseAnchor(key))) continue
    if (withoutAnchors(value[key], true)) delete value[key]
    else kept = true
  }
  if (kept) plainKeys(value)
  let nothing = true
  for (const key of Object.keys(value)) {
    if (withoutAnchors(value[key], false)) delete value[key]
    else nothing = false
  }
  return nothing
}

function plainKeys(value: Fields): void {
  for (const key of Object.keys(value)) {
    const anchor = parseAnchor(key)
    if (anchor === undefined || !isCondition(anchor)) continue
    value[anchor.key] = value[key]
    delete value[key]
  }
}

function emptied(list: unknown[]): boolean {
  const gone = list.map((item) => holds(item, isAnchored) || withoutAnchors(item, false))
  const first = gone.indexOf(true)
  if (first === -1) return false
  // Kyverno counts on as if nothing had been taken out: with a second one it takes out another than it means.
  if (gone.includes(true, first + 1))
    throw new NotModelled(
      `a patch of a list with more than one element of which only anchors are left (${anchorsOf(list)})`,
    )
  list.splice(first, 1)
  return list.length === 0
}

function anchorsOf(list: readonly unknown[]): string {
  const anchors = list.flatMap((item) => (isDict(item) ? Object.keys(item).map(parseAnchor) : []))
  return anchors
    .filter((anchor) => anchor !== undefined)
    .map(anchorText)
    .join(', ')
}
