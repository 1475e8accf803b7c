import { isAlias, isMap, isPair, isScalar, isSeq, type ParsedNode, type YAMLMap, type YAMLSeq } from 'yaml'
import { define } from '../plain.js'
import { adviceFor } from './advice.js'
import { MAX_DEPTH, MAX_VALUES } from './limits.js'
import type { PositionNode } from './positions.js'
import { resolvePlain, resolveTagged, type Scalar } from './scalars.js'

export interface YamlProblem {
  readonly code: string
  readonly message: string
  readonly offset: number
}

interface Converted {
  readonly value: unknown
  readonly positions: PositionNode
}

interface Budget {
  values: number
}

class Unreadable extends Error {
  readonly code: string
  readonly offset: number

  constructor(code: string, message: string, offset: number) {
    super(message)
    this.code = code
    this.offset = offset
  }
}

/** One document to plain data. `undefined` when it could not be read; then `problems` has one entry more. */
export function convert(
  contents: unknown,
  text: string,
  budget: Budget,
  problems: YamlProblem[],
): Converted | undefined {
  try {
    return new Converter(budget, problems).node(contents, 0, 0)
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    problems.push({
      code: error.code,
      message: error.message + adviceFor(error.code, text, error.offset),
      offset: error.offset,
    })
    return undefined
  }
}

class Converter {
  readonly #budget: Budget
  readonly #problems: YamlProblem[]
  readonly #anchors = new Map<string, ParsedNode>()
  readonly #open = new Set<unknown>()

  constructor(budget: Budget, problems: YamlProblem[]) {
    this.#budget = budget
    this.#problems = problems
  }

  /** `offset` is where a value stands that is not written at all (`key:` and nothing after it). */
  node(node: unknown, offset: number, depth: number): Converted {
    this.#budget.values -= 1
    const at = startOf(node, offset)
    if (this.#budget.values < 0) {
      throw new Unreadable(
        'yaml.too-many-values',
        `more than ${MAX_VALUES} values in one file, aliases expanded; an alias to an alias to an alias multiplies`,
        at,
      )
    }
    // Aliases can nest deeper than the text does.
    if (depth > MAX_DEPTH)
      throw new Unreadable('yaml.too-deep', `nested deeper than ${MAX_DEPTH} levels; no Kubernetes object is`, at)
    if (isAlias(node)) return this.#alias(node.source, at, depth)
    if (isMap(node) || isSeq(node)) {
      if (node.anchor !== undefined) this.#anchors.set(node.anchor, node as ParsedNode)
      this.#open.add(node)
      const converted = isMap(node) ? this.#map(node, at, depth) : this.#list(node, at, depth)
      this.#open.delete(node)
      return converted
    }
    if (isScalar(node)) {
      if (node.anchor !== undefined) this.#anchors.set(node.anchor, node as ParsedNode)
      return this.#scalar(node, at)
    }
    return { value: null, positions: { offset: at, written: '' } }
  }

  #alias(name: string, at: number, depth: number): Converted {
    const target = this.#anchors.get(name)
    if (target === undefined) {
      throw new Unreadable('yaml.alias', `the alias *${name} refers to an anchor that is not defined above it`, at)
    }
    if (this.#open.has(target)) {
      throw new Unreadable(
        'yaml.alias',
        `the alias *${name} stands inside its own anchor &${name}, so it would never end`,
        at,
      )
    }
    const { value, positions } = this.node(target, at, depth)
    return { value, positions: { ...positions, offset: at } }
  }

  #scalar(node: { value: unknown; tag?: string; type?: string | undefined }, at: number): Converted {
    const text = typeof node.value === 'string' ? node.value : ''
    if (node.tag !== undefined) {
      const value = resolveTagged(node.tag, text)
      if (value !== undefined) return { value, positions: { offset: at } }
      const tag = node.tag.replace('tag:yaml.org,2002:', '!!')
      throw new Unreadable(
        'yaml.tag',
        `the tag ${tag} does not fit ${JSON.stringify(text)}, or is none that Kubernetes reads; leave it out`,
        at,
      )
    }
    if (node.type !== 'PLAIN') return { value: text, positions: { offset: at } }
    return { value: resolvePlain(text), positions: { offset: at, written: text } }
  }

  #list(node: YAMLSeq, at: number, depth: number): Converted {
    const value: unknown[] = []
    const children = new Map<string | number, PositionNode>()
    for (const [index, item] of node.items.entries()) {
      // `[a: 1]` is short for a list of one-field maps; no manifest means it.
      if (isPair(item)) throw new Unreadable('yaml.syntax', 'a field without braces inside a list in brackets', at)
      const converted = this.node(item, at, depth + 1)
      value.push(converted.value)
      children.set(index, converted.positions)
    }
    return { value, positions: { offset: at, children } }
  }

  #map(node: YAMLMap, at: number, depth: number): Converted {
    const value: Record<string, unknown> = {}
    const children = new Map<string | number, PositionNode>()
    const merges: Converted[] = []
    for (const pair of node.items) {
      const keyAt = startOf(pair.key, at)
      const key = this.#key(pair.key, keyAt)
      if (children.has(key)) {
        this.#problems.push({
          code: 'yaml.duplicate-key',
          message: `the field ${JSON.stringify(key)} is written twice in one object, so one of the two would be lost; ${
            depth === 0 && (key === 'apiVersion' || key === 'kind')
              ? 'if another object begins here, a line --- is missing above it'
              : 'remove one'
          }`,
          offset: keyAt,
        })
        continue
      }
      const converted = this.node(pair.value, keyAt, depth + 1)
      if (key === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN') {
        merges.push(converted)
        continue
      }
      define(value, key, converted.value)
      // A field is found where its name is written.
      children.set(key, { ...converted.positions, offset: keyAt })
    }
    for (const merge of merges) mergeInto(value, children, merge)
    return { value, positions: { offset: at, children } }
  }

  #key(key: unknown, at: number): string {
    if (isAlias(key)) {
      const target = this.#anchors.get(key.source)
      if (target !== undefined && !isAlias(target)) return this.#key(target, at)
    }
    if (!isScalar(key))
      throw new Unreadable('yaml.key', 'a field whose name is a list, an object or missing; names are text', at)
    if (key.anchor !== undefined) this.#anchors.set(key.anchor, key as ParsedNode)
    // A file put behind another one brings its byte order mark along.
    const text = typeof key.value === 'string' ? key.value.replace(/^\ufeff/, '') : ''
    if (key.type !== 'PLAIN' || key.tag !== undefined || text === '<<') return text
    const resolved: Scalar = resolvePlain(text)
    if (typeof resolved === 'boolean' || resolved === null) {
      throw new Unreadable(
        'yaml.key',
        `the field name ${JSON.stringify(text)} is read as ${resolved} by Kubernetes (YAML 1.1); put it in quotes`,
        at,
      )
    }
    return String(resolved)
  }
}

/** `<<: *defaults`: fields that the object does not have itself. The first of several wins. */
function mergeInto(
  value: Record<string, unknown>,
  children: Map<string | number, PositionNode>,
  merge: Converted,
): void {
  const sources = Array.isArray(merge.value)
    ? merge.value.map((item: unknown, index) => ({ value: item, positions: merge.positions.children?.get(index) }))
    : [merge]
  for (const source of sources) {
    if (typeof source.value !== 'object' || source.value === null || Array.isArray(source.value)) {
      throw new Unreadable(
        'yaml.merge',
        'the merge key << takes an object, or a list of objects',
        merge.positions.offset,
      )
    }
    for (const [key, item] of Object.entries(source.value)) {
      if (children.has(key)) continue
      define(value, key, item)
      children.set(key, source.positions?.children?.get(key) ?? merge.positions)
    }
  }
}

function startOf(node: unknown, fallback: number): number {
  if (typeof node !== 'object' || node === null || !('range' in node)) return fallback
  const range = node.range
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : fallback
}
