import { type ASTNode, Environment } from '@marcbachmann/cel-js'
import type { Entry, Item, Node, Operator } from './ast.js'
import { CelError, CelSyntaxError } from './errors.js'
import { MESSAGE, OPTIONAL, rewrite } from './rewrite.js'
import { Double, int, Uint } from './values.js'

/** As cel-go's own bounds, where it has them: 100,000 characters, 250 levels. */
export const LIMITS = { characters: 100_000, nodes: 50_000, depth: 250, items: 10_000 }

const parser = new Environment({
  unlistedVariablesAreDyn: true,
  enableOptionalTypes: true,
  limits: {
    maxAstNodes: LIMITS.nodes,
    maxDepth: LIMITS.depth,
    maxListElements: LIMITS.items,
    maxMapEntries: LIMITS.items,
    maxCallArguments: LIMITS.items,
  },
})

/** Throws CelSyntaxError, and nothing else, for whatever is no expression. */
export function parse(source: string): Node {
  if (source.length > LIMITS.characters) {
    throw new CelSyntaxError(`the expression is longer than ${LIMITS.characters} characters`, 0)
  }
  const { text, original } = rewrite(source)
  let tree: ASTNode
  try {
    tree = parser.parse(text).ast
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep()
    throw syntaxError(error, original)
  }
  checkDepth(tree, original)
  return new Reader(original).node(tree)
}

function tooDeep(offset = 0): CelSyntaxError {
  return new CelSyntaxError(`the expression is nested deeper than ${LIMITS.depth} levels`, offset)
}

function syntaxError(error: unknown, original: (offset: number) => number): CelSyntaxError {
  const { summary, range } = error as { readonly summary?: string; readonly range?: { readonly start: number } }
  const message = summary ?? (error instanceof Error ? error.message : String(error))
  return new CelSyntaxError(`syntax error: ${message}`, original(range?.start ?? 0))
}

function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return []
    case '.':
    case '.?':
      return [node.args[0]]
    case 'call':
      return node.args[1]
    case 'rcall':
      return [node.args[1], ...node.args[2]]
    case 'list':
      return node.args
    case 'map':
      return node.args.flat()
    case '!_':
    case '-_':
      return [node.args]
    default:
      return node.args
  }
}

/** Without recursion: a chain of `&&` or `||` is as deep for the parser as it is long, and is one level here. */
function checkDepth(root: ASTNode, original: (offset: number) => number): void {
  const open: [ASTNode, number][] = [[root, 1]]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [node, depth] = next
    if (depth > LIMITS.depth) throw tooDeep(original(node.start))
    for (const child of childrenOf(node)) {
      const chained = (node.op === '&&' || node.op === '||') && child.op === node.op
      open.push([child, chained ? depth : depth + 1])
    }
  }
}

class Reader {
  readonly #original: (offset: number) => number

  constructor(original: (offset: number) => number) {
    this.#original = original
  }

  node(ast: ASTNode): Node {
    const at = this.#original(ast.pos ?? ast.start)
    switch (ast.op) {
      case 'value':
        return { op: 'literal', value: this.#literal(ast.args, at), at }
      case 'id':
        return { op: 'ident', name: ast.args, at }
      case '.':
      case '.?':
        return { op: 'select', target: this.node(ast.args[0]), field: ast.args[1], optional: ast.op === '.?', at }
      case '[]':
      case '[?]':
        return {
          op: 'index',
          target: this.node(ast.args[0]),
          index: this.node(ast.args[1]),
          optional: ast.op === '[?]',
          at,
        }
      case 'call':
        if (ast.args[0] === MESSAGE) return this.#message(ast.args[1], at)
        return { op: 'call', name: ast.args[0], args: ast.args[1].map((arg) => this.node(arg)), at }
      case 'rcall': {
        const [name, target, args] = ast.args
        return { op: 'call', name, target: this.node(target), args: args.map((arg) => this.node(arg)), at }
      }
      case 'list':
        return { op: 'list', items: ast.args.map((item) => this.#item(item)), at }
      case 'map':
        return { op: 'map', entries: ast.args.map((pair) => this.#entry(pair)), at }
      case '?:': {
        const [test, yes, no] = ast.args
        return { op: 'ternary', test: this.node(test), yes: this.node(yes), no: this.node(no), at }
      }
      case '&&':
      case '||':
        return { op: ast.op === '&&' ? 'and' : 'or', terms: this.#chain(ast), at }
      case '!_':
        return { op: 'not', operand: this.node(ast.args), at }
      case '-_':
        return this.#negation(ast.args, at)
      default:
        return this.#binary(ast.op, ast.args, at)
    }
  }

  #binary(operator: Operator, [left, right]: readonly [ASTNode, ASTNode], at: number): Node {
    return { op: 'binary', operator, left: this.node(left), right: this.node(right), at }
  }

  /** `-9223372036854775808` is an int although its digits alone are none. */
  #negation(operand: ASTNode, at: number): Node {
    if (operand.op === 'value' && typeof operand.args === 'bigint') {
      return { op: 'literal', value: this.#literal(-operand.args, at), at }
    }
    return { op: 'negate', operand: this.node(operand), at }
  }

  #literal(value: unknown, at: number): unknown {
    try {
      if (typeof value === 'bigint') return int(value)
      if (typeof value === 'number') return new Double(value)
      if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
        return new Uint(BigInt(String(value)))
      }
      return value
    } catch (error) {
      if (error instanceof CelError) throw new CelSyntaxError(`syntax error: ${error.message}`, at)
      throw error
    }
  }

  #chain(ast: ASTNode & { readonly op: '&&' | '||' }): readonly Node[] {
    const terms: ASTNode[] = []
    const open: ASTNode[] = [ast]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next.op === '&&' || next.op === '||') {
        if (next.op === ast.op) {
          open.push(next.args[1], next.args[0])
          continue
        }
      }
      terms.push(next)
    }
    return terms.map((term) => this.node(term))
  }

  #item(ast: ASTNode): Item {
    if (ast.op === 'call' && ast.args[0] === OPTIONAL && ast.args[1][0] !== undefined) {
      return { value: this.node(ast.args[1][0]), optional: true }
    }
    return { value: this.node(ast), optional: false }
  }

  #entry([key, value]: readonly [ASTNode, ASTNode]): Entry {
    const { value: name, optional } = this.#item(key)
    return { key: name, value: this.node(value), optional }
  }

  #message([type, fields]: readonly ASTNode[], at: number): Node {
    if (type?.op !== 'value' || fields?.op !== 'map') throw new CelSyntaxError('syntax error: a message has fields', at)
    return {
      op: 'message',
      type: String(type.args),
      fields: fields.args.map((pair) => {
        const { key, value, optional } = this.#entry(pair)
        if (key.op !== 'literal' || typeof key.value !== 'string') {
          throw new CelSyntaxError("syntax error: a message's field is a name", key.at)
        }
        return { name: key.value, value, optional }
      }),
      at,
    }
  }
}
