/** The same numbers for the same seed on every machine (mulberry32). */
export interface Random {
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number
  /** True once in so many times. */
  once(inSoMany: number): boolean
  pick<T>(list: readonly T[]): T
  /** That many bytes of any value. */
  bytes(count: number): Buffer
  /** Between `from` and `to` things, both included. */
  list<T>(from: number, to: number, make: () => T): T[]
}

export function randomOf(seed: number): Random {
  let state = seed | 0
  const below = (limit: number) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
  return {
    below,
    once: (inSoMany) => below(inSoMany) === 0,
    pick(list) {
      if (list.length === 0) throw new RangeError('nothing to pick from')
      return list[below(list.length)] as (typeof list)[number]
    },
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => below(256))),
    list: (from, to, make) => Array.from({ length: from + below(to - from + 1) }, make),
  }
}

/** Of one case of a run: far from its neighbours', so that a case is the same whatever was run before it. */
export const caseSeed = (seed: number, index: number): number =>
  Math.imul(seed ^ Math.imul(index + 1, 0x9e3779b1), 0x85ebca6b)

/** Bytes with a few things wrong: flipped, cut out, doubled, put in. */
export function mutate(random: Random, bytes: Buffer): Buffer {
  let result = bytes
  for (let edits = 1 + random.below(4); edits > 0; edits -= 1) {
    const at = random.below(result.length + 1)
    const until = Math.min(result.length, at + 1 + random.below(16))
    const [before, middle, after] = [result.subarray(0, at), result.subarray(at, until), result.subarray(until)]
    const kinds: readonly (() => Buffer)[] = [
      () => Buffer.concat([before, random.bytes(middle.length), after]),
      () => Buffer.concat([before, after]),
      () => Buffer.concat([before, middle, middle, after]),
      () => Buffer.concat([before, random.bytes(1 + random.below(12)), middle, after]),
      () =>
        Buffer.concat([
          before,
          Buffer.from([random.pick([0, 1, 0x7f, 0x80, 0xff, 10, 13, 32])]),
          middle.subarray(1),
          after,
        ]),
      () => before,
    ]
    result = random.pick(kinds)()
  }
  return result
}
