import type { MeshLog } from '@bulkhead/mesh'
import { messageOf } from './errors.js'
import { LogFile } from './logs.js'

/** Looked at as often as this whether the file has grown too long. */
const rotateEvery = 100

/** What goes wrong inside the data plane, one JSON document a line. What it carries is told by flow records alone. */
export function meshLog(file: string): MeshLog & { close(): void } {
  const log = new LogFile(file)
  let lines = 0
  const write = (level: string) => (fields: object, message: string) => {
    const told = Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? messageOf(value) : value])
    const line = { time: new Date().toISOString(), level, message, ...Object.fromEntries(told) }
    log.write(`${JSON.stringify(line)}\n`)
    if (++lines % rotateEvery === 0) log.rotate()
  }
  return { info: () => undefined, warn: write('warn'), error: write('error'), close: () => log.close() }
}
