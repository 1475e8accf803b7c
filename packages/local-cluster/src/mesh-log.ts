import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { MeshLog } from '@bulkhead/mesh'
import { messageOf } from './errors.js'

/** What goes wrong inside the data plane, one JSON document a line. What it carries is told by flow records alone. */
export function meshLog(file: string): MeshLog {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const write = (level: string) => (fields: object, message: string) => {
    const told = Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? messageOf(value) : value])
    const line = { time: new Date().toISOString(), level, message, ...Object.fromEntries(told) }
    try {
      appendFileSync(file, `${JSON.stringify(line)}\n`, { mode: 0o600 })
    } catch {
      // A log that cannot be written must not end what it tells of.
    }
  }
  return { info: () => undefined, warn: write('warn'), error: write('error') }
}
