import type { HeaderChange } from '@bulkhead/verdict'

/** Names and values in turn, as node:http and undici take them. */
export type Pairs = string[]

/**
 * Headers that are of one connection and no other (RFC 9110, 7.6.1), and Expect, which the gateway answers itself as Envoy
 * does. Content-Length is kept: the body is the same.
 */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** What no client may tell an upstream: what Envoy says of itself, and of the certificate that a client showed. */
const isProxysOwn = (name: string): boolean => name.startsWith('x-envoy-') || name === 'x-forwarded-client-cert'

export const isHopByHop = (name: string): boolean => HOP_BY_HOP.has(name)
export const isForwarded = (name: string): boolean => !HOP_BY_HOP.has(name) && !isProxysOwn(name)

/** Names that a Connection header takes along. Framing is not its to take: `Connection: content-length` changes no body. */
export function connectionNames(value: string): readonly string[] {
  return value
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'content-length' && name !== 'host')
}

/** `changeHeaders` on the lines of an answer, of which several may have one name. */
export function changePairs(pairs: Pairs, changes: readonly HeaderChange[]): Pairs {
  let changed = pairs
  for (const { set, add, remove } of changes) {
    const gone = new Set([...remove, ...set.map(([name]) => name)])
    changed = changed.filter((_, index) => !gone.has((changed[index & ~1] ?? '').toLowerCase()))
    for (const [name, value] of [...set, ...add]) changed.push(name, value)
  }
  return changed
}

/** A route may change what it likes, but not how a message is framed. */
export function pairsOf(headers: Readonly<Record<string, string>>, framing: string | undefined): Pairs {
  const pairs: Pairs = []
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value !== undefined && name !== 'host' && name !== 'content-length' && !HOP_BY_HOP.has(name))
      pairs.push(name, value)
  }
  if (framing !== undefined) pairs.push('content-length', framing)
  return pairs
}

/** An answer's headers as they go on to the client. `bodiless`: 204, whose Content-Length would be no length. */
export function answerPairs(
  raw: readonly Buffer[],
  bodiless: boolean,
): { readonly pairs: Pairs; readonly length: number } {
  const pairs: Pairs = ['server', 'istio-envoy']
  let length = -1
  let taken: readonly string[] | undefined
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index]?.toString('latin1') ?? ''
    const lower = name.toLowerCase()
    if (lower === 'server') continue
    const value = raw[index + 1]?.toString('latin1') ?? ''
    if (lower === 'connection') taken = connectionNames(value)
    if (HOP_BY_HOP.has(lower)) continue
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
