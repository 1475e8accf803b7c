import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { platformOf } from './platform.js'
import type { Machine } from './types.js'

/** The machine that this runs on. */
export function thisMachine(env: Machine['env'] = process.env): Machine {
  return {
    platform: platformOf(),
    arch: process.arch === 'x64' ? 'amd64' : process.arch,
    env,
    readText(path) {
      try {
        return readFileSync(path, 'utf8')
      } catch {
        return undefined
      }
    },
    async freeBytes(path) {
      try {
        const { bavail, bsize } = await statfs(path)
        return bavail * bsize
      } catch {
        return undefined
      }
    },
    async isFree(address, port) {
      const server = createServer()
      try {
        server.listen({ host: address, port, exclusive: true })
        await once(server, 'listening')
        return true
      } catch {
        return false
      } finally {
        server.close()
      }
    },
  }
}
