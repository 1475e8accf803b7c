import type { FieldPath } from '../types.js'

/** Where a value is written, and where everything below it is. Offsets count UTF-16 units from the start of the text. */
export interface PositionNode {
  readonly offset: number
  /** Of an unquoted scalar: as it is written, since `on` is read as true and `0400` as 256. */
  readonly written?: string
  readonly children?: ReadonlyMap<string | number, PositionNode>
}

/** The node of the field, or of its closest ancestor that is written. */
export function nodeAt(root: PositionNode, path: FieldPath): PositionNode {
  let node = root
  for (const step of path) {
    const child = node.children?.get(step)
    if (child === undefined) return node
    node = child
  }
  return node
}

/** The node of exactly this field; `undefined` when it is not written. */
export function writtenAt(root: PositionNode, path: FieldPath): PositionNode | undefined {
  let node: PositionNode | undefined = root
  for (const step of path) node = node?.children?.get(step)
  return node
}

/** `spec.rules[0].from`, as an error names a field. */
export function pathText(path: FieldPath): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (/^[A-Za-z_][A-Za-z0-9_-]*$/.test(step)) text += text === '' ? step : `.${step}`
    else text += `[${JSON.stringify(step)}]`
  }
  return text
}
