import { connectionNames, type HeaderChange, isHopByHop } from '@bulkhead/verdict'

/** Names and values in turn, as node:http and undici take them. */
export type Pairs = string[]

/**
 * Text as the wire has it: an octet a letter, as node:http and undici take it. What clients sent is that already; what a
 * route's author wrote may be of any script, and is UTF-8 there.
 */
export const octets = (text: string): string =>
  /[\u0100-\uffff]/.test(text) ? Buffer.from(text).toString('latin1') : text

/** How a message is framed is its own affair, whatever a route says. */
const isFraming = (name: string): boolean => name === 'content-length' || isHopByHop(name)

/** `changeHeaders` on the lines of an answer, of which several may have one name. */
export function changePairs(pairs: Pairs, changes: readonly HeaderChange[]): Pairs {
  let changed = pairs
  for (const { set, add, remove } of changes) {
    const gone = new Set([...remove, ...set.map(([name]) => name)].filter((name) => !isFraming(name)))
    changed = changed.filter((_, index) => !gone.has((changed[index & ~1] ?? '').toLowerCase()))
    for (const [name, value] of [...set, ...add]) if (!isFraming(name)) changed.push(name, octets(value))
  }
  return changed
}

/** A route may change what it likes, but not how a message is framed. */
export function pairsOf(headers: Readonly<Record<string, string>>, framing: string | undefined): Pairs {
  const pairs: Pairs = []
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value !== undefined && name !== 'host' && !isFraming(name)) pairs.push(name, octets(value))
  }
  if (framing !== undefined) pairs.push('content-length', framing)
  return pairs
}

/** How long the far side took, in milliseconds: each proxy writes its own word of it, in the place of those behind. */
export const upstreamTime = 'x-envoy-upstream-service-time'

/** An answer's headers as they go on to the client. `bodiless`: 204, whose Content-Length would be no length. `server`: the proxy's name, put over the app's. */
export function answerPairs(
  raw: readonly Buffer[],
  bodiless: boolean,
  server: string,
): { readonly pairs: Pairs; readonly length: number } {
  const pairs: Pairs = ['server', server]
  let length = -1
  let taken: readonly string[] | undefined
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index]?.toString('latin1') ?? ''
    const lower = name.toLowerCase()
    if (lower === 'server' || lower === upstreamTime) continue
    const value = raw[index + 1]?.toString('latin1') ?? ''
    if (lower === 'connection') taken = connectionNames(value)
    if (isHopByHop(lower)) continue
    if (lower === 'content-length') {
      if (bodiless) continue
      length = Number(value)
    }
    pairs.push(name, value)
  }
  if (taken?.some((name) => name !== 'close' && name !== 'keep-alive')) {
    const gone = new Set(taken)
    return { pairs: pairs.filter((_, index) => !gone.has((pairs[index & ~1] ?? '').toLowerCase())), length }
  }
  return { pairs, length }
}
