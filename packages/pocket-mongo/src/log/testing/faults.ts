import { type Files, type LogFile, realFiles } from '../files.js'

/** What a disk may do wrong. */
export interface Faults {
  /** So many bytes can still be written, over all files. */
  room?: number
  failSync?: boolean
  failRename?: boolean
  failTruncate?: boolean
  failFolderSync?: boolean
  /** Every sync waits for it. */
  slow?: Promise<void>
  writes: number
  syncs: number
}

export function faultyFiles(): { readonly files: Files; readonly faults: Faults } {
  const faults: Faults = { writes: 0, syncs: 0 }
  const fail = (code: string): never => {
    throw Object.assign(new Error(`${code}: injected`), { code })
  }
  const wrap = (file: LogFile): LogFile => ({
    ...file,
    async write(bytes, position) {
      faults.writes += 1
      const room = faults.room ?? Number.POSITIVE_INFINITY
      const fits = bytes.subarray(0, Math.min(bytes.length, room))
      if (faults.room !== undefined) faults.room -= fits.length
      // As a file system does it: what fits is in the file when the rest is refused.
      await file.write(fits, position)
      if (fits.length < bytes.length) fail('ENOSPC')
    },
    async sync() {
      faults.syncs += 1
      await faults.slow
      if (faults.failSync === true) fail('EIO')
      await file.sync()
    },
    async truncate(length) {
      if (faults.failTruncate === true) fail('EIO')
      await file.truncate(length)
    },
  })
  return {
    faults,
    files: {
      open: async (path, options) => wrap(await realFiles.open(path, options)),
      async rename(from, to) {
        if (faults.failRename === true) fail('EIO')
        await realFiles.rename(from, to)
      },
      async syncFolderOf(path) {
        if (faults.failFolderSync === true) fail('EIO')
        await realFiles.syncFolderOf(path)
      },
      remove: realFiles.remove,
    },
  }
}
