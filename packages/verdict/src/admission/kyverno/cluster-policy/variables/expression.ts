import { compile } from '@jmespath-community/jmespath'
import { functionNames, notModelledFunctions } from './function-names.js'

/*
 * JMESPath as Kyverno reads it: the specification's first edition and Kyverno's own functions. The library also knows what
 * came later (arithmetic signs, `let`, `$`, ternaries); a cluster refuses a policy that holds it.
 */

export type Node = ReturnType<typeof compile>

export interface Expression {
  readonly text: string
  readonly node: Node
  /** Every name at which something may be looked up: which entries of a context it needs. */
  readonly names: ReadonlySet<string>
  /** A function of Kyverno's that is not modelled. */
  readonly notModelled?: string
}

/** A text that is no JMESPath, or not Kyverno's. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError'
}

const MAX_LENGTH = 20_000
const MAX_DEPTH = 200
const later: ReadonlySet<string> = new Set([
  'Arithmetic',
  'Unary',
  'LetExpression',
  'Binding',
  'Variable',
  'Ternary',
  'Root',
])

const MAX_KEPT = 2_000
const kept = new Map<string, Expression>()

/** The same text is read once; the memory of texts is bounded, since some are put together from objects. */
export function readExpression(text: string): Expression {
  const known = kept.get(text)
  if (known !== undefined) return known
  const read = parse(text.trim())
  if (kept.size >= MAX_KEPT) kept.clear()
  kept.set(text, read)
  return read
}

function parse(text: string): Expression {
  if (text === '') throw new ExpressionError('invalid query (nil)')
  if (text.length > MAX_LENGTH)
    throw new ExpressionError(`an expression of ${text.length} characters; ${MAX_LENGTH} is the most that is read`)
  let node: Node
  try {
    node = compile(text, { enable_legacy_literals: true })
  } catch (error) {
    const why =
      error instanceof RangeError ? 'it is nested too deep' : error instanceof Error ? error.message : String(error)
    throw new ExpressionError(`incorrect query ${shortened(text)}: ${why}`)
  }
  const names = new Set<string>()
  const unknown = survey(node, names)
  return { text, node, names, ...(unknown !== undefined && { notModelled: unknown }) }
}

/** Collects the names; the answer is a function that is not modelled. */
function survey(root: Node, names: Set<string>): string | undefined {
  let unknown: string | undefined
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value: root, depth: 0 }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next
    if (typeof value !== 'object' || value === null) continue
    if (depth > MAX_DEPTH) throw new ExpressionError(`it is nested deeper than ${MAX_DEPTH} levels`)
    const { type, name } = value as { readonly type?: unknown; readonly name?: unknown }
    // What a literal holds is data, whatever it looks like.
    if (type === 'Literal') continue
    if (typeof type === 'string' && later.has(type))
      throw new ExpressionError(`Kyverno's JMESPath has no ${words[type] ?? type}`)
    if (type === 'Field' && typeof name === 'string') names.add(name)
    if (type === 'Function' && typeof name === 'string') {
      if (notModelledFunctions.has(name)) unknown = name
      else if (!functionNames.has(name)) throw new ExpressionError(`Unknown function: ${name}`)
    }
    for (const part of Object.values(value)) open.push({ value: part, depth: depth + 1 })
  }
  return unknown
}

const words: Readonly<Record<string, string>> = {
  Arithmetic: 'signs for arithmetic; it has functions: add(), subtract() ...',
  Unary: 'signs for arithmetic; it has functions: add(), subtract() ...',
  LetExpression: 'let',
  Binding: 'let',
  Variable: 'variables with $',
  Ternary: 'ternary operator',
  Root: '$ for the root',
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}...` : text
}
