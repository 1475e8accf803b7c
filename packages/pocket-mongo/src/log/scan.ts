import type { LogFile } from './files.js'
import { frameAt, headBytes, mostFrameBytes, title } from './frames.js'

/** How a log reads. */
export interface Scan {
  readonly size: number
  /** Up to here it is whole. */
  readonly end: number
  /**
   * `whole`: nothing follows. `torn`: what follows is part of one write that was cut short. `damaged`: whole frames follow,
   * or may: something in between was changed after it was written.
   */
  readonly rest: 'whole' | 'torn' | 'damaged'
  /** What the first frame says; undefined: it cannot be read. */
  readonly title: string | undefined
}

const windowBytes = 4 * 1024 * 1024

/**
 * Reads a log from its beginning, as far as it is whole.
 *
 * @param visit called with what each frame holds, in order. When it throws, the frame counts as damaged.
 */
export async function scan(file: LogFile, visit: (payload: Buffer) => void): Promise<Scan> {
  const size = await file.size()
  const head = await file.read(title.length, 0)
  const words = frameAt(head, 0)?.toString('latin1')
  let end = Math.min(title.length, size)
  let window = await file.read(Math.min(windowBytes, size - end), end)
  let at = 0
  const more = async (needed: number): Promise<void> => {
    window = await file.read(Math.min(Math.max(windowBytes, needed), size - end), end)
    at = 0
  }
  for (;;) {
    let payload = frameAt(window, at)
    if (payload === undefined && end + window.length - at < size) {
      if (window.length - at < headBytes) await more(windowBytes)
      const length = window.length - at < headBytes ? 0 : window.readUInt32LE(at)
      if (length <= mostFrameBytes && end + headBytes + length <= size) await more(headBytes + length)
      payload = frameAt(window, at)
    }
    if (payload === undefined || !visited(visit, payload)) break
    at += headBytes + payload.length
    end += headBytes + payload.length
  }
  if (words === undefined && end === Math.min(title.length, size)) end = 0
  if (end === size && words !== undefined) return { size, end, rest: 'whole', title: words }
  const rest = await restOf(file, end, size)
  return { size, end, rest: words === undefined && size >= title.length ? 'damaged' : rest, title: words }
}

function visited(visit: (payload: Buffer) => void, payload: Buffer): boolean {
  try {
    visit(payload)
    return true
  } catch {
    return false
  }
}

/** Looking for a whole frame costs a checksum at each place that looks like the head of one; this many bytes of them. */
const mostLookedAt = 256 * 1024 * 1024

async function restOf(file: LogFile, end: number, size: number): Promise<'whole' | 'torn' | 'damaged'> {
  if (end === size) return 'whole'
  if (size - end > mostFrameBytes) return 'damaged'
  const rest = await file.read(size - end, end)
  let looked = 0
  for (let at = 0; at + headBytes < rest.length; at++) {
    const length = rest.readUInt32LE(at)
    if (length === 0 || at + headBytes + length > rest.length) continue
    looked += length
    if (looked > mostLookedAt || frameAt(rest, at) !== undefined) return 'damaged'
  }
  return 'torn'
}
