import type { Files, LogFile } from '../files.js'

interface Inode {
  /** As programs see it. */
  content: Buffer
  /** As it was when it was synced last. */
  synced: Buffer
}

/** What a loss of power leaves of what was never synced: nothing, all of it, or a part of the last bytes. */
export type Luck = 'nothing' | 'all' | 'part'

/** A disk in memory that knows what of it would outlast a loss of power: contents by their sync, names by the folder's. */
export class Disk {
  readonly #names: Map<string, Inode>
  #syncedNames: Map<string, Inode>
  /** Called before each operation that changes something. */
  before: () => void = () => undefined

  constructor(names: ReadonlyMap<string, Buffer> = new Map()) {
    this.#names = new Map([...names].map(([name, content]) => [name, { content, synced: content }]))
    this.#syncedNames = new Map(this.#names)
  }

  /** The disk as it would be found, were the power lost now. */
  afterLoss(luck: Luck): Disk {
    const names = luck === 'all' ? this.#names : this.#syncedNames
    return new Disk(new Map([...names].map(([name, inode]) => [name, contentAfter(inode, luck)])))
  }

  get files(): Files {
    return {
      open: async (path, { fresh }) => {
        this.before()
        const known = this.#names.get(path)
        const inode = known ?? { content: Buffer.alloc(0), synced: Buffer.alloc(0) }
        if (fresh) inode.content = Buffer.alloc(0)
        this.#names.set(path, inode)
        return this.#file(inode)
      },
      rename: async (from, to) => {
        this.before()
        const inode = this.#names.get(from)
        if (inode === undefined) throw new Error(`there is no ${from}`)
        this.#names.delete(from)
        this.#names.set(to, inode)
      },
      syncFolderOf: async () => {
        this.before()
        this.#syncedNames = new Map(this.#names)
      },
      remove: async (path) => {
        this.before()
        this.#names.delete(path)
      },
    }
  }

  #file(inode: Inode): LogFile {
    return {
      size: async () => inode.content.length,
      read: async (length, position) => inode.content.subarray(position, position + length),
      write: async (bytes, position) => {
        this.before()
        const before = inode.content.subarray(0, position)
        inode.content = Buffer.concat([before, bytes, inode.content.subarray(position + bytes.length)])
      },
      sync: async () => {
        this.before()
        inode.synced = inode.content
      },
      truncate: async (length) => {
        this.before()
        inode.content = inode.content.subarray(0, length)
      },
      close: async () => undefined,
    }
  }
}

function contentAfter({ content, synced }: Inode, luck: Luck): Buffer {
  if (luck === 'nothing') return synced
  if (luck === 'all' || content.length <= synced.length) return content
  return content.subarray(0, synced.length + ((content.length - synced.length) >>> 1))
}
