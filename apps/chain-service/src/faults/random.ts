/** A source of numbers from 0 to below 1. */
export type Random = () => number

/** With a seed the numbers are the same on every run (mulberry32); without one they are Math.random's. Not for secrets. */
export function createRandom(seed: number | undefined): Random {
  if (seed === undefined) return Math.random
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
