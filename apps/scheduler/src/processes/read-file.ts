import { closeSync, constants, openSync, readSync } from 'node:fs'

/** What `cgroup`, `comm` and `stat` never exceed; of what does, so much is read. */
const MOST_BYTES = 16 * 1024

/** Nothing in a folder of processes is a link, or waits to be written to: what is, is somebody's trick. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

const buffer = Buffer.alloc(MOST_BYTES)

/** The first 16 KiB of a file of the kernel's, as text. Throws as `open` does. */
export function readShort(path: string): string {
  const fd = openSync(path, FLAGS)
  try {
    let length = 0
    while (length < MOST_BYTES) {
      const got = readSync(fd, buffer, length, MOST_BYTES - length, null)
      length += got
      // A file of the kernel's comes in one piece; only one of more than a page has a second.
      if (got === 0 || length < 2_048) break
    }
    return buffer.toString('utf8', 0, length)
  } finally {
    closeSync(fd)
  }
}
