import { type Branch, childOf, type Key, type Leaf, lowerBound, type Node } from './tree-nodes.js'

export interface Range<K extends Key> {
  /** The first key that belongs to it. */
  readonly from?: K | undefined
  /** The first key after it. */
  readonly to?: K | undefined
  readonly reverse?: boolean | undefined
}

interface Position<K extends Key, V> {
  leaf: Leaf<K, V>
  at: number
}

export function* positions<K extends Key, V>(root: Node<K, V>, range: Range<K>): IterableIterator<Position<K, V>> {
  if (range.reverse === true) yield* backward(root, range)
  else yield* forward(root, range)
}

function* forward<K extends Key, V>(root: Node<K, V>, { from, to }: Range<K>): IterableIterator<Position<K, V>> {
  const path: { readonly node: Branch<K, V>; at: number }[] = []
  let node = root
  while (node.children !== undefined) {
    const at = from === undefined ? 0 : childOf(node.keys, from)
    path.push({ node, at })
    node = node.children[at] as Node<K, V>
  }
  const position: Position<K, V> = { leaf: node, at: from === undefined ? 0 : lowerBound(node.keys, from) }
  for (;;) {
    const { leaf } = position
    for (; position.at < leaf.keys.length; position.at++) {
      if (to !== undefined && (leaf.keys[position.at] as K) >= to) return
      yield position
    }
    const next = nextLeaf(path, 1)
    if (next === undefined) return
    position.leaf = next
    position.at = 0
  }
}

function* backward<K extends Key, V>(root: Node<K, V>, { from, to }: Range<K>): IterableIterator<Position<K, V>> {
  const path: { readonly node: Branch<K, V>; at: number }[] = []
  let node = root
  while (node.children !== undefined) {
    const at = to === undefined ? node.children.length - 1 : childOf(node.keys, to)
    path.push({ node, at })
    node = node.children[at] as Node<K, V>
  }
  const position: Position<K, V> = {
    leaf: node,
    at: (to === undefined ? node.keys.length : lowerBound(node.keys, to)) - 1,
  }
  for (;;) {
    const { leaf } = position
    for (; position.at >= 0; position.at--) {
      if (from !== undefined && (leaf.keys[position.at] as K) < from) return
      yield position
    }
    const next = nextLeaf(path, -1)
    if (next === undefined) return
    position.leaf = next
    position.at = next.keys.length - 1
  }
}

function nextLeaf<K extends Key, V>(
  path: { readonly node: Branch<K, V>; at: number }[],
  step: 1 | -1,
): Leaf<K, V> | undefined {
  for (let depth = path.length - 1; depth >= 0; depth--) {
    const here = path[depth] as { readonly node: Branch<K, V>; at: number }
    let node = here.node.children[here.at + step]
    if (node === undefined) continue
    here.at += step
    path.length = depth + 1
    while (node.children !== undefined) {
      const at: number = step === 1 ? 0 : node.children.length - 1
      path.push({ node, at })
      node = node.children[at] as Node<K, V>
    }
    return node
  }
  return undefined
}
