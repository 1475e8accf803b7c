import { isDict, isList, put } from '../data.js'
import { parseAnchor } from '../pattern/anchor.js'
import { operatorOf } from '../pattern/value.js'
import { goFixed, goText } from '../values/go.js'
import { QueryError } from './interpreter.js'

/*
 * `$(../limits/memory)`: another value of the same document, by its path from here or, with a slash, from its root. An
 * operator before the path is put before the value: `$(<=./../limits/memory)`.
 */

const reference = /^\$\(.[^ ]*?\)|(?<=[^\\])\$\(.[^ ]*?\)/g

export function resolveReferences(document: unknown): unknown {
  return holds(document) ? walk(document, '', document) : document
}

function holds(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('$(')
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, item]) => holds(key) || holds(item))
}

function walk(value: unknown, path: string, document: unknown): unknown {
  if (typeof value === 'string') return resolve(value, path, document)
  if (isList(value)) return value.map((item, index) => walk(item, `${path}/${index}`, document))
  if (!isDict(value)) return value
  const made = {}
  for (const [key, item] of Object.entries(value)) put(made, key, walk(item, `${path}/${key}`, document))
  return made
}

function resolve(text: string, path: string, document: unknown): string {
  return text
    .replace(reference, (written) => {
      const inner = written.slice(2, -1)
      const operator = operatorOf(inner)
      const target = absolute(inner.slice(operator.length), path)
      const value = leafAt(document, target)
      if (value === undefined || value === null)
        throw new QueryError(`got nil resolved variable ${written} at path ${path}: <nil>`)
      if (operator === '') {
        if (typeof value === 'string') return value
        throw new QueryError(`NotResolvedReferenceErr,reference ${written} not resolved at path ${path}`)
      }
      if (typeof value === 'string') return `${operator}${value}`
      if (typeof value === 'number') return `${operator}${Number.isInteger(value) ? value : goFixed(value)}`
      throw new QueryError(
        `failed to resolve ${written} at path ${path}: incorrect expression: operator ${operator} does not match with value ${goText(value)}`,
      )
    })
    .replace(/\\(\$\(.[^ )]*\))/g, '$1')
}

function absolute(target: string, from: string): string {
  const parts: string[] = []
  for (const part of (target.startsWith('/') ? target : `${from}/${target}`).split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(parseAnchor(part)?.key ?? part)
  }
  return `/${parts.join('/')}`
}

/** By names without their anchors. */
function leafAt(document: unknown, path: string): unknown {
  let current: unknown = document
  for (const part of path.split('/').slice(1)) {
    if (isList(current)) current = current[Number(part)]
    else if (isDict(current)) {
      const given = current
      const key = Object.keys(given).find((name) => (parseAnchor(name)?.key ?? name) === part)
      current = key === undefined ? undefined : given[key]
    } else return undefined
  }
  return typeof current === 'object' ? undefined : current
}
