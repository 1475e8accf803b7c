/*
 * The nodes of a tree (tree.ts), and how one is changed: whoever edits copies what is not his, and changes the copy.
 */

export type Edit = object

export type Key = string | number

export interface Leaf<K extends Key, V> {
  readonly edit: Edit
  readonly keys: K[]
  readonly values: V[]
  readonly children?: undefined
}

export interface Branch<K extends Key, V> {
  readonly edit: Edit
  /** The smallest key that was ever below each child; the first one's is not looked at. */
  readonly keys: K[]
  readonly children: Node<K, V>[]
}

export type Node<K extends Key, V> = Leaf<K, V> | Branch<K, V>

const MAX = 32
const MIN = 8

export interface Inserted<K extends Key, V> {
  grew: boolean
  /** What did not fit. */
  right: Node<K, V> | undefined
}

/** The first index whose key is not below `key`. */
export function lowerBound<K extends Key>(keys: readonly K[], key: K): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] as K) < key) low = middle + 1
    else high = middle
  }
  return low
}

export function childOf<K extends Key>(keys: readonly K[], key: K): number {
  const at = lowerBound(keys, key)
  if (at < keys.length && keys[at] === key) return at
  return at === 0 ? 0 : at - 1
}

export function firstKey<K extends Key, V>(node: Node<K, V>): K {
  return node.keys[0] as K
}

function own<K extends Key, V>(node: Node<K, V>, edit: Edit): Node<K, V> {
  if (node.edit === edit) return node
  return node.children === undefined
    ? { edit, keys: node.keys.slice(), values: node.values.slice() }
    : { edit, keys: node.keys.slice(), children: node.children.slice() }
}

export function insert<K extends Key, V>(
  node: Node<K, V>,
  key: K,
  value: V,
  edit: Edit,
  result: Inserted<K, V>,
): Node<K, V> {
  const mine = own(node, edit)
  if (mine.children === undefined) {
    const at = lowerBound(mine.keys, key)
    if (mine.keys[at] === key) {
      mine.values[at] = value
      return mine
    }
    result.grew = true
    mine.keys.splice(at, 0, key)
    mine.values.splice(at, 0, value)
  } else {
    const at = childOf(mine.keys, key)
    if (key < (mine.keys[at] as K)) mine.keys[at] = key
    mine.children[at] = insert(mine.children[at] as Node<K, V>, key, value, edit, result)
    const right = result.right
    if (right !== undefined) {
      mine.keys.splice(at + 1, 0, firstKey(right))
      mine.children.splice(at + 1, 0, right)
      result.right = undefined
    }
  }
  if (mine.keys.length > MAX) result.right = split(mine, mine.keys[mine.keys.length - 1] === key, edit)
  return mine
}

/** Keys mostly come in order: what grows at its end is left full. */
function split<K extends Key, V>(node: Node<K, V>, atEnd: boolean, edit: Edit): Node<K, V> {
  const at = atEnd ? node.keys.length - 1 : node.keys.length >>> 1
  const keys = node.keys.splice(at)
  return node.children === undefined
    ? { edit, keys, values: node.values.splice(at) }
    : { edit, keys, children: node.children.splice(at) }
}

export function remove<K extends Key, V>(node: Node<K, V>, key: K, edit: Edit): Node<K, V> {
  const mine = own(node, edit)
  if (mine.children === undefined) {
    const at = lowerBound(mine.keys, key)
    mine.keys.splice(at, 1)
    mine.values.splice(at, 1)
    return mine
  }
  const at = childOf(mine.keys, key)
  const child = remove(mine.children[at] as Node<K, V>, key, edit)
  mine.children[at] = child
  if (child.keys.length < MIN && mine.children.length > 1) merge(mine, at === 0 ? 0 : at - 1, edit)
  return mine
}

/** Joins the child at `at` with the next where both fit into one, or where one has nothing left. */
function merge<K extends Key, V>(parent: Branch<K, V>, at: number, edit: Edit): void {
  const left = parent.children[at] as Node<K, V>
  const right = parent.children[at + 1] as Node<K, V>
  if (left.keys.length + right.keys.length > MAX) return
  const joined = own(left, edit)
  if (joined.children === undefined) joined.values.push(...((right as Leaf<K, V>).values as V[]))
  else {
    joined.children.push(...(right as Branch<K, V>).children)
  }
  const from = joined.keys.length
  joined.keys.push(...right.keys)
  // A branch's first key is not kept up to date in it, but in its parent.
  if (joined.children !== undefined) joined.keys[from] = parent.keys[at + 1] as K
  parent.children[at] = joined
  if (left.keys.length === from && from === 0) parent.keys[at] = firstKey(joined)
  parent.children.splice(at + 1, 1)
  parent.keys.splice(at + 1, 1)
}
