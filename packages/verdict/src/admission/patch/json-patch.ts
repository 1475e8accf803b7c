import { Budget, type Fields, isFields, own, PatchError, sameJson, tooDeep, withField, withoutField } from './value.js'

export interface JsonPatchOptions {
  /** `remove` of what is not there does nothing, as Kyverno's patchesJson6902 has it. Default: an error. */
  readonly missingRemoved?: boolean
  /** `add` makes the maps and lists that its path goes by, likewise. Default: an error. */
  readonly parentsMade?: boolean
  /** `-1` is a list's last item. Default: no index. */
  readonly negativeIndexes?: boolean
}

const maxOperations = 10_000
const names = ['add', 'remove', 'replace', 'move', 'copy', 'test'] as const
type Name = (typeof names)[number]

interface Operation {
  readonly op: Name
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

/**
 * A JSON patch (RFC 6902). All of it or nothing.
 * @throws PatchError, with `testFailed` where a `test` of the patch's own says so
 */
export function applyJsonPatch(document: unknown, operations: unknown, options: JsonPatchOptions = {}): unknown {
  if (!Array.isArray(operations)) throw new PatchError('a JSON patch is a list of operations')
  if (operations.length > maxOperations)
    throw new PatchError(`a JSON patch has more than ${maxOperations} operations`, { tooLarge: true })
  const budget = new Budget()
  let current = document
  for (const [index, given] of operations.entries()) current = apply(current, read(given, index), options, budget)
  return current
}

function read(given: unknown, index: number): Operation {
  const wrong = (what: string): never => {
    throw new PatchError(`operation ${index} of the JSON patch ${what}`)
  }
  if (!isFields(given)) return wrong('is no object')
  const op = names.find((name) => name === own(given, 'op'))
  if (op === undefined)
    return wrong(`has the op ${JSON.stringify(own(given, 'op'))}; it must be one of ${names.join(', ')}`)
  const path = own(given, 'path')
  if (typeof path !== 'string') return wrong('has no path')
  const from = own(given, 'from')
  if (op === 'move' || op === 'copy') return typeof from === 'string' ? { op, path, from } : wrong('has no from')
  // A null is a value; only a test may leave it out.
  if (op !== 'remove' && op !== 'test' && !Object.hasOwn(given, 'value')) return wrong('has no value')
  return { op, path, value: own(given, 'value') ?? null }
}

function apply(document: unknown, operation: Operation, options: JsonPatchOptions, budget: Budget): unknown {
  const { op, path, from = '', value } = operation
  switch (op) {
    case 'test':
      if (sameJson(find(document, path, op, options, true) ?? null, value)) return document
      throw new PatchError(`testing value ${path} failed`, { testFailed: true })
    case 'add':
      budget.spend(value)
      return edit(document, path, op, options, { kind: 'add', value })
    case 'replace':
      budget.spend(value)
      find(document, path, op, options)
      return edit(document, path, op, options, { kind: 'replace', value })
    case 'remove':
      if (options.missingRemoved === true && find(document, path, op, options, true) === undefined) return document
      find(document, path, op, options)
      return edit(document, path, op, options, { kind: 'remove' })
    case 'copy': {
      const copied = find(document, from, op, options)
      budget.spend(copied)
      return edit(document, path, op, options, { kind: 'add', value: copied })
    }
    case 'move': {
      if (path.startsWith(`${from}/`))
        throw new PatchError(`move operation does not apply: ${path} is inside of ${from}`)
      const moved = find(document, from, op, options)
      return edit(edit(document, from, op, options, { kind: 'remove' }), path, op, options, {
        kind: 'add',
        value: moved,
      })
    }
  }
}

function tokens(path: string, op: Name): string[] {
  if (path === '') return []
  if (!path.startsWith('/'))
    throw new PatchError(`${op} operation does not apply: ${JSON.stringify(path)} is no JSON pointer`)
  const found = path.slice(1).split('/')
  tooDeep(found.length)
  return found.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

const missing = (op: Name, path: string): PatchError =>
  new PatchError(`${op} operation does not apply: doc is missing path: ${JSON.stringify(path)}: missing value`)

function find(document: unknown, path: string, op: Name, options: JsonPatchOptions, lenient = false): unknown {
  let current = document
  for (const token of tokens(path, op)) {
    const index = Array.isArray(current) ? indexOf(current, token, options) : undefined
    const next = Array.isArray(current)
      ? index === undefined
        ? undefined
        : (current[index] as unknown)
      : isFields(current)
        ? own(current, token)
        : undefined
    if (next === undefined) {
      if (lenient) return undefined
      throw missing(op, path)
    }
    current = next
  }
  return current
}

/** An index that the list has; undefined for any other token. */
function indexOf(list: readonly unknown[], token: string, options: JsonPatchOptions): number | undefined {
  if (!/^(?:0|-?[1-9][0-9]{0,8})$/.test(token)) return undefined
  const number = Number(token)
  const index = number < 0 && options.negativeIndexes === true ? list.length + number : number
  return index >= 0 && index < list.length ? index : undefined
}

type Edit = { readonly kind: 'add' | 'replace'; readonly value: unknown } | { readonly kind: 'remove' }

function edit(document: unknown, path: string, op: Name, options: JsonPatchOptions, change: Edit): unknown {
  const way = tokens(path, op)
  if (way.length === 0) {
    if (change.kind === 'remove') throw new PatchError('remove operation does not apply: it is the whole object')
    return change.value
  }
  return editAt(document, way, 0)

  function editAt(current: unknown, steps: readonly string[], depth: number): unknown {
    const token = steps[depth] ?? ''
    const last = depth === steps.length - 1
    if (Array.isArray(current)) return editList(current, token, last, steps, depth)
    if (!isFields(current)) throw missing(op, path)
    if (last) return change.kind === 'remove' ? withoutField(current, token) : withField(current, token, change.value)
    const next = own(current, token) ?? parent(steps[depth + 1] ?? '')
    if (next === undefined) throw missing(op, path)
    return withField(current as Fields, token, editAt(next, steps, depth + 1))
  }

  function editList(
    list: readonly unknown[],
    token: string,
    last: boolean,
    steps: readonly string[],
    depth: number,
  ): unknown[] {
    const adds = last && change.kind === 'add'
    const index = adds && (token === '-' || token === String(list.length)) ? list.length : indexOf(list, token, options)
    if (index === undefined) throw missing(op, path)
    if (adds) return [...list.slice(0, index), change.value, ...list.slice(index)]
    if (last && change.kind === 'remove') return list.filter((_, position) => position !== index)
    const next = last && change.kind === 'replace' ? change.value : editAt(list[index], steps, depth + 1)
    return list.map((item, position) => (position === index ? next : item))
  }

  /** What an `add` goes by, where it may make that: a list for an index, a map for a name. */
  function parent(token: string): unknown {
    if (change.kind !== 'add' || options.parentsMade !== true) return undefined
    return token === '-' || token === '0' ? [] : {}
  }
}
