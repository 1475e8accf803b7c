import { isIP, isIPv4 } from 'node:net'

/**
 * The host of a connect, spelled in one way only, as the C library and the kernel would take it: lower case, no final
 * dot, IPv4 in four decimal parts (`127.1`, `0x7f000001` and `::ffff:7f00:1` are 127.0.0.1), and what means "this
 * machine" (`''`, `0.0.0.0`, `::`, `::1`) as 127.0.0.1. The pod's own name is its address, as in its /etc/hosts.
 * Undefined: an IPv6 address, which pods do not have.
 */
export function spell(host: string, pod: { readonly name: string; readonly ip: string }): string | undefined {
  if (host === '') return 'localhost'
  // One final dot names the root; more of them, or nothing before it, make no name, and stay what they are.
  const lower = host.toLowerCase().replace(/(?<=[^.])\.$/, '')
  if (lower === pod.name.toLowerCase()) return pod.ip
  if (lower.includes(':')) return spell6(lower)
  return spell4(lower) ?? lower
}

/** inet_aton(3): one to four parts, each decimal, octal or hexadecimal; the last one fills what is left. */
function spell4(host: string): string | undefined {
  const parts = host.split('.')
  if (parts.length > 4 || !parts.every((part) => /^(0x[0-9a-f]*|[0-9]+)$/.test(part))) return undefined
  const numbers = parts.map((part) => {
    if (part.startsWith('0x')) return part === '0x' ? 0 : Number(part)
    return part.length > 1 && part.startsWith('0') ? Number.parseInt(part, 8) : Number(part)
  })
  const last = numbers.at(-1) ?? 0
  if (numbers.slice(0, -1).some((n) => n > 255) || !(last < 256 ** (5 - parts.length))) return undefined
  if (numbers.some(Number.isNaN)) return undefined
  const value = numbers.slice(0, -1).reduce((sum, n, i) => sum + n * 256 ** (3 - i), 0) + last
  const dotted = [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
  return dotted === '0.0.0.0' ? '127.0.0.1' : dotted
}

/** IPv4 inside IPv6, and IPv6's own names for this machine; the rest has no address here. */
function spell6(host: string): string | undefined {
  const bare = host.replace(/%.*$/, '')
  if (isIP(bare) !== 6) return undefined
  const groups = expand(bare)
  const head = groups.slice(0, 5).every((group) => group === 0)
  const [six = 0, seven = 0, eight = 0] = groups.slice(5)
  if (!head) return undefined
  if (six === 0 && seven === 0 && eight <= 1) return '127.0.0.1'
  if (six !== 0xffff) return undefined
  const dotted = [seven >> 8, seven & 255, eight >> 8, eight & 255].join('.')
  return dotted === '0.0.0.0' ? '127.0.0.1' : dotted
}

function expand(ip: string): number[] {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(ip)
  const [, prefix = '', four = ''] = dotted ?? []
  const tail = isIPv4(four) ? four.split('.').map(Number) : []
  const [a = 0, b = 0, c = 0, d = 0] = tail
  const text = dotted === null ? ip : `${prefix}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  const [left = '', right] = text.split('::')
  const parse = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const before = parse(left)
  if (right === undefined) return before
  const after = parse(right)
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
}

/** Where a listener of the pod can be reached from; undefined: not an address of the pod (EADDRNOTAVAIL). */
export function scopeOf(
  host: string,
  pod: { readonly name: string; readonly ip: string },
): 'pod' | 'loopback' | undefined {
  if (host === '' || host === '0.0.0.0' || /^(::|0:0:0:0:0:0:0:0)$/.test(host)) return 'pod'
  const spelled = spell(host, pod)
  if (spelled === pod.ip) return 'pod'
  return spelled === 'localhost' || spelled?.startsWith('127.') ? 'loopback' : undefined
}
