import { Draft } from '../store/draft.js'
import { emptyState, type State } from '../store/state.js'
import { type ReadChange, readChanges } from './changes.js'
import type { Files, LogFile } from './files.js'
import { headBytes, title } from './frames.js'
import { newPath } from './rewrite.js'
import { type Scan, scan } from './scan.js'

export interface Recovered {
  readonly file: LogFile
  /** Of the file, all of it whole. */
  readonly length: number
  readonly state: State
  /** The largest numbers that were given. */
  readonly records: number
  readonly collections: number
  /** The log is to be written anew: its first frame is none. */
  readonly untitled: boolean
}

/**
 * Reads what was kept, and makes the file fit to be written to: a write that was cut short is cut off. Where bytes in the
 * middle are not what was written, what is whole before them is taken, and all that follows goes into a file of its own,
 * for people: a server that does not start helps nobody.
 *
 * @throws when the file cannot be read, or is of a later version
 */
export async function recover(path: string, files: Files, note: (text: string) => void): Promise<Recovered> {
  await files.remove(newPath(path))
  const file = await files.open(path, { fresh: false })
  try {
    const reader = new Reader()
    const found = await scan(file, (payload) => reader.take(readChanges(payload)))
    checkTitle(path, found)
    const length = await mend(path, file, found, files, note)
    // What a process wrote before it was killed may be nowhere but in the system's memory yet, and is shown from now on.
    await file.sync()
    const state = reader.state(note)
    const { records, collections } = reader
    return { file, length, state, records, collections, untitled: found.end > 0 && found.title === undefined }
  } catch (error) {
    await file.close()
    throw error
  }
}

function checkTitle(path: string, found: Scan): void {
  const mine = title.subarray(headBytes).toString('latin1')
  if (found.title === undefined || found.title === mine) return
  throw new Error(
    `"${path}" begins with ${JSON.stringify(found.title)}, and this program reads ${JSON.stringify(mine)}: it was written by another version. Use that one, or another folder.`,
  )
}

async function mend(
  path: string,
  file: LogFile,
  { size, end, rest }: Scan,
  files: Files,
  note: (text: string) => void,
): Promise<number> {
  if (rest === 'damaged' && end < size) {
    const aside = `${path}.damaged-${Date.now()}`
    await copyOut(file, end, size, aside, files)
    note(
      `"${path}" is damaged at byte ${end} of ${size}. What stands before it is in force; the ${size - end} bytes from there on could not be read safely, and are in "${aside}". Look at the disk, and at what is missing.`,
    )
  } else if (rest === 'damaged') {
    note(`"${path}" is damaged in its first bytes. All that follows them could be read, and it is written anew.`)
  } else if (rest === 'torn') {
    note(
      `"${path}" ended in a write that was cut short: ${size - end} bytes from byte ${end} on were cut off. Nobody was told that they are kept.`,
    )
  }
  if (end < size) {
    await file.truncate(end)
    await file.sync()
  }
  if (end > 0) return end
  await file.write(title, 0)
  await file.sync()
  await files.syncFolderOf(path)
  return title.length
}

const stepBytes = 4 * 1024 * 1024

async function copyOut(file: LogFile, from: number, to: number, path: string, files: Files): Promise<void> {
  const copy = await files.open(path, { fresh: true })
  try {
    for (let at = from; at < to; at += stepBytes) {
      await copy.write(await file.read(Math.min(stepBytes, to - at), at), at - from)
    }
    await copy.sync()
  } finally {
    await copy.close()
  }
  await files.syncFolderOf(path)
}

class Reader {
  readonly #drafts = new Map<number, Draft>()
  readonly #edit = {}
  records = 0
  collections = 0

  /** @throws RangeError when they do not follow from what was before; nothing of them is taken then */
  take(changes: readonly ReadChange[]): void {
    const known = new Set(this.#drafts.keys())
    for (const change of changes) {
      if (change.kind === 'schema') known.add(change.schema.id)
      else if (!known.has(change.id)) throw new RangeError(`there is no collection ${change.id}`)
    }
    for (const change of changes) this.#takeOne(change)
  }

  #takeOne(change: ReadChange): void {
    if (change.kind === 'schema') {
      const { schema } = change
      this.collections = Math.max(this.collections, schema.id)
      const draft = this.#drafts.get(schema.id)
      if (draft === undefined) this.#drafts.set(schema.id, Draft.unindexed(schema))
      else draft.rename(schema)
      return
    }
    if (change.kind === 'drop') {
      this.#drafts.delete(change.id)
      return
    }
    const draft = this.#drafts.get(change.id)
    if (change.kind === 'put') {
      this.records = Math.max(this.records, change.document.record)
      draft?.putWithoutIndexes(change.document, this.#edit)
    } else draft?.removeWithoutIndexes(change.record, this.#edit)
  }

  state(note: (text: string) => void): State {
    let state = emptyState()
    for (const draft of this.#drafts.values()) {
      draft.rebuild(note)
      state = state.set(draft.schema.ns, draft.freeze(), this.#edit)
    }
    return state
  }
}
