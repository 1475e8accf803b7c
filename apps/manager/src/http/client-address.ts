import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import proxyaddr from 'proxy-addr'

/** The proxies in front whose X-Forwarded-For is believed. */
export interface TrustedProxies {
  /** Addresses and blocks of them, as `10.244.0.0/16` or `fd00::/8`. None: nobody is believed. */
  readonly from: readonly string[]
  /**
   * How many of them stand one behind the other, at most. Where others have addresses of those blocks, too, this keeps them
   * from saying who they are: what the last proxy has written of its caller is the end of it.
   */
  readonly hops: number
}

export type ClientAddress = (request: IncomingMessage) => string

/**
 * Whose request it is: the other end of the connection, or, where that is a trusted proxy, whom it names as its caller, and
 * so on from the right, `hops` times at the most. What no proxy writes (no address) ends it: then it is the last proxy itself.
 * IPv4 in IPv6 is IPv4; IPv6 has one spelling.
 * @throws RangeError for a block that is none
 */
export function clientAddress({ from, hops }: TrustedProxies): ClientAddress {
  const trusted = from.length === 0 ? () => false : blocks(from)
  const trust = (address: string, hop: number): boolean => {
    const plain = plainAddress(address)
    return hop < hops && plain !== undefined && trusted(plain, hop)
  }
  return (request) => {
    // Of an end that has gone already there is no address.
    if (request.socket.remoteAddress === undefined) return ''
    const [last = '', before = ''] = proxyaddr.all(request, trust).reverse()
    return plainAddress(last) ?? plainAddress(before) ?? request.socket.remoteAddress
  }
}

/**
 * Whether a request came in by https, as the trusted proxy at the other end of the connection says. The service itself speaks plain HTTP.
 * @throws RangeError for a block that is none
 */
export function cameSecurely({ from }: TrustedProxies): (request: IncomingMessage) => boolean {
  const trusted = from.length === 0 ? () => false : blocks(from)
  return ({ socket, headers }) => {
    const peer = plainAddress(socket.remoteAddress ?? '')
    return peer !== undefined && trusted(peer, 0) && headers['x-forwarded-proto'] === 'https'
  }
}

/** @throws RangeError that names the first one that is none */
export function checkBlocks(from: readonly string[]): void {
  for (const block of from) blocks([block])
}

function blocks(from: readonly string[]): (address: string, hop: number) => boolean {
  const [wrong] = from.filter((block) => isIP(block.split('/', 1)[0] ?? '') === 0)
  if (wrong !== undefined) throw new RangeError(`${JSON.stringify(wrong)} is neither an address nor a block of them`)
  try {
    return proxyaddr.compile([...from])
  } catch (cause) {
    throw new RangeError(`it must be addresses and blocks of them: ${cause instanceof Error ? cause.message : cause}`)
  }
}

/** An address as it is kept; some proxies put a port behind it. Undefined: it is none. */
function plainAddress(text: string): string | undefined {
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text
  // The scope is a name of that machine's interface, and no part of who it is.
  const address = bare.split('%', 1)[0] ?? ''
  const kind = isIP(address)
  if (kind !== 6) return kind === 4 ? address : undefined
  const six = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(six) ?? []
  if (high === undefined || low === undefined) return six
  const four = Number.parseInt(high, 16) * 0x1_0000 + Number.parseInt(low, 16)
  return [24, 16, 8, 0].map((bits) => (four >>> bits) & 0xff).join('.')
}
