/*
 * A sorted map that is never changed: `set` and `delete` answer another one that shares what stayed the same (a B+ tree,
 * copied along one path). Each state of the store is one value made of these: a snapshot is a reference, undoing is
 * forgetting, and a compaction reads in peace while writers go on.
 *
 * `edit` is who writes: nodes that the same writer made are changed in place, so that a thousand inserts of one command
 * copy each node once. A writer that lets somebody look at its tree takes another token afterwards.
 */
export type Edit = object

type Key = string | number

interface Leaf<K extends Key, V> {
  readonly edit: Edit
  readonly keys: K[]
  readonly values: V[]
  readonly children?: undefined
}

interface Branch<K extends Key, V> {
  readonly edit: Edit
  /** The smallest key that was ever below each child; the first one's is not looked at. */
  readonly keys: K[]
  readonly children: Node<K, V>[]
}

type Node<K extends Key, V> = Leaf<K, V> | Branch<K, V>

export interface Range<K extends Key> {
  /** The first key that belongs to it. */
  readonly from?: K | undefined
  /** The first key after it. */
  readonly to?: K | undefined
  readonly reverse?: boolean | undefined
}

const MAX = 32
const MIN = 8
const nobody: Edit = {}

export class Tree<K extends Key, V> {
  static empty<K extends Key, V>(): Tree<K, V> {
    return new Tree<K, V>({ edit: nobody, keys: [], values: [] }, 0)
  }

  readonly #root: Node<K, V>
  readonly size: number

  private constructor(root: Node<K, V>, size: number) {
    this.#root = root
    this.size = size
  }

  get(key: K): V | undefined {
    let node = this.#root
    while (node.children !== undefined) node = node.children[childOf(node.keys, key)] as Node<K, V>
    const at = lowerBound(node.keys, key)
    return node.keys[at] === key ? node.values[at] : undefined
  }

  set(key: K, value: V, edit: Edit): Tree<K, V> {
    const result: Inserted<K, V> = { grew: false, right: undefined }
    const left = insert(this.#root, key, value, edit, result)
    const right = result.right
    const root = right === undefined ? left : { edit, keys: [firstKey(left), firstKey(right)], children: [left, right] }
    return new Tree(root, this.size + (result.grew ? 1 : 0))
  }

  delete(key: K, edit: Edit): Tree<K, V> {
    if (this.get(key) === undefined) return this
    let root = remove(this.#root, key, edit)
    while (root.children !== undefined && root.children.length === 1) root = root.children[0] as Node<K, V>
    return new Tree(root, this.size - 1)
  }

  /** The entry with the smallest key that is not below `key`. */
  ceiling(key: K): { readonly key: K; readonly value: V } | undefined {
    for (const entry of this.entries({ from: key })) return entry
    return undefined
  }

  *values(range: Range<K> = {}): IterableIterator<V> {
    for (const { leaf, at } of positions(this.#root, range)) yield leaf.values[at] as V
  }

  *entries(range: Range<K> = {}): IterableIterator<{ readonly key: K; readonly value: V }> {
    for (const { leaf, at } of positions(this.#root, range))
      yield { key: leaf.keys[at] as K, value: leaf.values[at] as V }
  }
}

interface Inserted<K extends Key, V> {
  grew: boolean
  /** What did not fit. */
  right: Node<K, V> | undefined
}

/** The first index whose key is not below `key`. */
function lowerBound<K extends Key>(keys: readonly K[], key: K): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] as K) < key) low = middle + 1
    else high = middle
  }
  return low
}

function childOf<K extends Key>(keys: readonly K[], key: K): number {
  const at = lowerBound(keys, key)
  if (at < keys.length && keys[at] === key) return at
  return at === 0 ? 0 : at - 1
}

function firstKey<K extends Key, V>(node: Node<K, V>): K {
  return node.keys[0] as K
}

function own<K extends Key, V>(node: Node<K, V>, edit: Edit): Node<K, V> {
  if (node.edit === edit) return node
  return node.children === undefined
    ? { edit, keys: node.keys.slice(), values: node.values.slice() }
    : { edit, keys: node.keys.slice(), children: node.children.slice() }
}

function insert<K extends Key, V>(node: Node<K, V>, key: K, value: V, edit: Edit, result: Inserted<K, V>): Node<K, V> {
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

function remove<K extends Key, V>(node: Node<K, V>, key: K, edit: Edit): Node<K, V> {
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

interface Position<K extends Key, V> {
  leaf: Leaf<K, V>
  at: number
}

function* positions<K extends Key, V>(root: Node<K, V>, range: Range<K>): IterableIterator<Position<K, V>> {
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
