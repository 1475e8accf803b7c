import { chmod, mkdir, rm } from 'node:fs/promises'
import type { Server } from 'node:net'
import { dirname } from 'node:path'

/** `sun_path` has 104 bytes on macOS and 108 on Linux, with its closing zero. */
const MAX_PATH_BYTES = 103

/** Listens on a unix socket that only this user can reach. A file left behind by a killed process makes way. */
export async function listenPrivately(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES)
    throw new Error(
      `socket path ${JSON.stringify(path)} has ${Buffer.byteLength(path)} bytes, and a unix socket's may have ${MAX_PATH_BYTES}. Give a shorter runDir.`,
    )
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  await rm(path, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
