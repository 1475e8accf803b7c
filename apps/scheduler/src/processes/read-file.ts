import { close, constants, open, read } from 'node:fs'

/** What `cgroup`, `comm` and `stat` never exceed; what does is read so far. */
const MOST_BYTES = 16 * 1024

/** Nothing in a folder of processes is a link, or waits to be written to: what is, is somebody's trick. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** The first 16 KiB of a file of the kernel's, as text. Rejects as `open` does. */
export function readShort(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    open(path, FLAGS, (failed, fd) => {
      if (failed) {
        reject(failed)
        return
      }
      const buffer = Buffer.allocUnsafe(MOST_BYTES)
      let length = 0
      const end = (error: Error | null): void => {
        close(fd, () => (error ? reject(error) : resolve(buffer.toString('utf8', 0, length))))
      }
      const next = (): void =>
        read(fd, buffer, length, MOST_BYTES - length, null, (error, got) => {
          length += got ?? 0
          // A file of the kernel's comes in one piece; only one that is longer than that has a second.
          if (error || got === 0 || length === MOST_BYTES || length < 2_048) end(error)
          else next()
        })
      next()
    })
  })
}
