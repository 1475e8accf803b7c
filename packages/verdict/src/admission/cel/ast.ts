/** An expression as it is written, before it is bound to functions. `at`: offset in the expression's own text. */
export type Node =
  | { readonly op: 'literal'; readonly value: unknown; readonly at: number }
  | { readonly op: 'ident'; readonly name: string; readonly at: number }
  | {
      readonly op: 'select'
      readonly target: Node
      readonly field: string
      readonly optional: boolean
      readonly at: number
    }
  | {
      readonly op: 'index'
      readonly target: Node
      readonly index: Node
      readonly optional: boolean
      readonly at: number
    }
  | CallNode
  | { readonly op: 'list'; readonly items: readonly Item[]; readonly at: number }
  | { readonly op: 'map'; readonly entries: readonly Entry[]; readonly at: number }
  | { readonly op: 'message'; readonly type: string; readonly fields: readonly Field[]; readonly at: number }
  | { readonly op: 'and' | 'or'; readonly terms: readonly Node[]; readonly at: number }
  | { readonly op: 'not' | 'negate'; readonly operand: Node; readonly at: number }
  | {
      readonly op: 'binary'
      readonly operator: Operator
      readonly left: Node
      readonly right: Node
      readonly at: number
    }
  | { readonly op: 'ternary'; readonly test: Node; readonly yes: Node; readonly no: Node; readonly at: number }

export interface CallNode {
  readonly op: 'call'
  readonly name: string
  readonly target?: Node
  readonly args: readonly Node[]
  readonly at: number
}

export interface Item {
  readonly value: Node
  readonly optional: boolean
}

export interface Entry extends Item {
  readonly key: Node
}

export interface Field extends Item {
  readonly name: string
}

export type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | '+' | '-' | '*' | '/' | '%'
