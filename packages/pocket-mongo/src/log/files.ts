import { constants, type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The part of a file system that a log needs; tests put one before it whose disk is full. */
export interface Files {
  /** For reading and writing; made when it is not there, emptied when `fresh`. Only its owner may read it. */
  open(path: string, options: { readonly fresh: boolean }): Promise<LogFile>
  /** Takes the place of what is there, and is on disk in it. */
  rename(from: string, to: string): Promise<void>
  syncFolderOf(path: string): Promise<void>
  remove(path: string): Promise<void>
}

export interface LogFile {
  size(): Promise<number>
  /** Fewer bytes than were asked for: the file ends there. */
  read(length: number, position: number): Promise<Buffer>
  /** All of it, or it rejects. */
  write(bytes: Uint8Array, position: number): Promise<void>
  /** Resolves when it would outlast a loss of power. */
  sync(): Promise<void>
  truncate(length: number): Promise<void>
  close(): Promise<void>
}

export const realFiles: Files = {
  async open(path, { fresh }) {
    const flags = constants.O_RDWR | constants.O_CREAT | (fresh ? constants.O_TRUNC : 0)
    return fileOf(await open(path, flags, 0o600))
  },
  rename,
  async syncFolderOf(path) {
    const folder = await open(dirname(path), 'r')
    try {
      await folder.sync()
    } finally {
      await folder.close()
    }
  },
  remove: (path) => rm(path, { force: true }),
}

function fileOf(handle: FileHandle): LogFile {
  return {
    size: async () => (await handle.stat()).size,
    async read(length, position) {
      const bytes = Buffer.allocUnsafe(length)
      let at = 0
      while (at < length) {
        const { bytesRead } = await handle.read(bytes, at, length - at, position + at)
        if (bytesRead === 0) break
        at += bytesRead
      }
      return bytes.subarray(0, at)
    },
    async write(bytes, position) {
      let at = 0
      while (at < bytes.length) at += (await handle.write(bytes, at, bytes.length - at, position + at)).bytesWritten
    },
    sync: () => handle.datasync(),
    truncate: (length) => handle.truncate(length),
    close: () => handle.close(),
  }
}
