import { randomFillSync } from 'node:crypto'

// One system call fills the ids of 256 requests; a call per id costs more than all the rest of a trace context.
const pool = Buffer.allocUnsafe(16 * 256)
let used = pool.length

/** `bytes` (at most 16) random bytes as lower-case hex, never all zero (W3C and B3 call such an id invalid). */
export function randomHex(bytes: number): string {
  for (;;) {
    if (used + bytes > pool.length) {
      randomFillSync(pool)
      used = 0
    }
    const hex = pool.toString('hex', used, used + bytes)
    used += bytes
    if (!/^0+$/.test(hex)) return hex
  }
}
