/*
 * Addresses of IPv4, for one question: does somebody else here use those that the cluster will have?
 */

/** A block of addresses: both ends, as numbers. */
export interface Block {
  readonly first: number
  readonly last: number
}

/** `10.244.0.0/16`; undefined for what is no block of IPv4. */
export function blockOf(cidr: string): Block | undefined {
  const [, a, b, c, d, bits] = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr) ?? []
  const octets = [a, b, c, d].map(Number)
  if (bits === undefined || Number(bits) > 32 || octets.some((octet) => octet > 255)) return undefined
  const size = 2 ** (32 - Number(bits))
  const address = octets.reduce((sum, octet) => sum * 256 + octet, 0)
  const first = address - (address % size)
  return { first, last: first + size - 1 }
}

export const overlap = (a: Block, b: Block): boolean => a.first <= b.last && b.first <= a.last

export interface Route {
  readonly device: string
  readonly cidr: string
}

/** Routes of Linux (`/proc/net/route`), without those to everywhere: a VPN's halves of the world are such, too. */
export function routesIn(table: string): readonly Route[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [device, destination, , , , , , mask] = line.trim().split(/\s+/)
      if (device === undefined || !/^[0-9A-F]{8}$/i.test(destination ?? '') || !/^[0-9A-F]{8}$/i.test(mask ?? ''))
        return []
      const bits = bytesOf(mask).reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)
      return bits <= 1 ? [] : [{ device, cidr: `${bytesOf(destination).join('.')}/${bits}` }]
    })
}

/** The kernel writes an address as a number, its last byte first. */
function bytesOf(hex = ''): readonly number[] {
  return [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16))
}
