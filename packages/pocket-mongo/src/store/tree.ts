import {
  childOf,
  type Edit,
  firstKey,
  type Inserted,
  insert,
  type Key,
  lowerBound,
  type Node,
  remove,
} from './tree-nodes.js'
import { positions, type Range } from './tree-walk.js'

export type { Edit } from './tree-nodes.js'
export type { Range } from './tree-walk.js'

/*
 * A sorted map that is never changed: `set` and `delete` answer another one that shares what stayed the same (a B+ tree,
 * copied along one path). Each state of the store is one value made of these: a snapshot is a reference, undoing is
 * forgetting, and a compaction reads in peace while writers go on.
 *
 * `edit` is who writes: nodes that the same writer made are changed in place, so that a thousand inserts of one command
 * copy each node once. A writer that lets somebody look at its tree takes another token afterwards.
 */
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
