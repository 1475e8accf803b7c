import { MAX_LINE } from './preload/lines.cjs'
import type { Up } from './wire.js'

/** Longest host name of DNS. */
export const MAX_HOST = 253

type Check = (value: unknown) => boolean

const number: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const port: Check = (value) => number(value) && (value as number) <= 65_535
const text: Check = (value) => typeof value === 'string'
const optionalText: Check = (value) => value === undefined || (typeof value === 'string' && value.length <= MAX_HOST)
const data: Check = (value) => typeof value === 'string' && value.length <= MAX_LINE
/** What the preload names its private sockets: a file name and no path. */
const socket: Check = (value) => typeof value === 'string' && /^l[A-Za-z0-9_-]{12}$/.test(value)
const token: Check = (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)

const SHAPES: { readonly [K in Up['op']]: Readonly<Record<string, Check>> } = {
  hello: { secret: text, pid: number },
  dial: { id: number, host: text, port },
  open: { id: number },
  gone: { id: number },
  reset: { id: number },
  'reset-accepted': { conn: number },
  listen: { id: number, host: text, port, socket, token, group: optionalText },
  unlisten: { id: number },
  resolve: { id: number, name: text },
  bind: { id: number, host: text, port },
  unbind: { id: number },
  send: { id: number, host: text, port, data },
}

/** One line of a process, or undefined when it is not one that the preload writes. */
export function readUp(line: string): Up | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const message = value as Record<string, unknown>
  if (typeof message.op !== 'string' || !Object.hasOwn(SHAPES, message.op)) return undefined
  const shape = SHAPES[message.op as Up['op']]
  return Object.entries(shape).every(([name, check]) => check(message[name])) ? (message as unknown as Up) : undefined
}
