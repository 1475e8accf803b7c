import ipaddr from 'ipaddr.js'
import { CelError } from '../errors.js'
import { define } from '../registry.js'
import { CelValue } from '../values.js'

/* Kubernetes' IP and CIDR libraries (apiserver/pkg/cel/library/ip.go, cidr.go): strict forms, no zones, no IPv4 in IPv6. */

type Address = ipaddr.IPv4 | ipaddr.IPv6
const [IP, CIDR] = ['net.IP', 'net.CIDR'] as const

function address(text: string): Address | undefined {
  if (text.length > 45 || text.includes('%')) return undefined
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) {
    // 010.0.0.1 is none: nobody knows whether it is octal.
    return /(^|\.)0\d/.test(text) ? undefined : ipaddr.IPv4.parse(text)
  }
  if (!text.includes(':') || !ipaddr.IPv6.isValid(text)) return undefined
  const parsed = ipaddr.IPv6.parse(text)
  return parsed.isIPv4MappedAddress() ? undefined : parsed
}

export class IpValue extends CelValue {
  readonly type = IP
  readonly address: Address
  constructor(text: string) {
    super()
    const parsed = address(text)
    if (parsed === undefined)
      throw new CelError(`IP Address ${JSON.stringify(text.slice(0, 60))} parse error during conversion from string`)
    this.address = parsed
  }
  override equals(other: CelValue): boolean {
    return other instanceof IpValue && other.toString() === this.toString()
  }
  /** In its canonical form. */
  override toString(): string {
    return this.address.toString()
  }
}

export class CidrValue extends CelValue {
  readonly type = CIDR
  readonly address: Address
  readonly length: number
  constructor(text: string) {
    super()
    const [, base = '', digits = ''] = /^([^/]*)\/(0|[1-9]\d{0,2})$/.exec(text) ?? []
    const parsed = address(base)
    const length = Number(digits)
    if (parsed === undefined || digits === '' || length > parsed.toByteArray().length * 8) {
      throw new CelError(
        `network address parse error during conversion from string: ${JSON.stringify(text.slice(0, 60))}`,
      )
    }
    this.address = parsed
    this.length = length
  }
  override equals(other: CelValue): boolean {
    return other instanceof CidrValue && other.toString() === this.toString()
  }
  override toString(): string {
    return `${this.address}/${this.length}`
  }
  /** Without the bits of the host. */
  masked(): CidrValue {
    const bytes = this.address
      .toByteArray()
      .map((byte, index) => byte & ~(0xff >> Math.min(8, Math.max(0, this.length - index * 8))))
    return new CidrValue(`${ipaddr.fromByteArray(bytes)}/${this.length}`)
  }
  contains(other: Address, length = other.toByteArray().length * 8): boolean {
    if (other.kind() !== this.address.kind() || length < this.length) return false
    return new CidrValue(`${other}/${this.length}`).masked().toString() === this.masked().toString()
  }
}

const ip = (value: CelValue): Address => (value as IpValue).address
const cidr = (value: CelValue): CidrValue => value as CidrValue

function is(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch (error) {
    if (error instanceof CelError) return false
    throw error
  }
}

define('ip', ['string'], 'opaque', ([text]) => new IpValue(text))
define('isIP', ['string'], 'bool', ([text]) => is(() => new IpValue(text)))
define('ip.isCanonical', ['string'], 'bool', ([text]) => new IpValue(text).toString() === text)
define('cidr', ['string'], 'opaque', ([text]) => new CidrValue(text))
define('isCIDR', ['string'], 'bool', ([text]) => is(() => new CidrValue(text)))
define('string', [IP], 'string', ([value]) => String(value))
define('string', [CIDR], 'string', ([value]) => String(value))

define('.family', [IP], 'int', ([value]) => (ip(value).kind() === 'ipv4' ? 4n : 6n))
const ranges: Readonly<Record<string, (range: string, value: Address) => boolean>> = {
  isUnspecified: (range) => range === 'unspecified',
  isLoopback: (range) => range === 'loopback',
  isLinkLocalUnicast: (range) => range === 'linkLocal',
  isLinkLocalMulticast: (range, value) =>
    range === 'multicast' &&
    (value.kind() === 'ipv4' ? value.toString().startsWith('224.0.0.') : /^ff.2:/.test(value.toString())),
  isGlobalUnicast: (range, value) =>
    !['unspecified', 'loopback', 'multicast', 'linkLocal', 'broadcast'].includes(range) &&
    value.toString() !== '255.255.255.255',
}
for (const [name, test] of Object.entries(ranges)) {
  define(`.${name}`, [IP], 'bool', ([value]) => test(ip(value).range(), ip(value)))
}

define('.containsIP', [CIDR, 'string'], 'bool', ([value, text]) => cidr(value).contains(new IpValue(text).address))
define('.containsIP', [CIDR, IP], 'bool', ([value, one]) => cidr(value).contains(ip(one)))
define('.containsCIDR', [CIDR, 'string'], 'bool', ([value, text]) => holds(cidr(value), new CidrValue(text)))
define('.containsCIDR', [CIDR, CIDR], 'bool', ([value, one]) => holds(cidr(value), cidr(one)))
define('.ip', [CIDR], 'opaque', ([value]) => new IpValue(String(cidr(value).address)))
define('.masked', [CIDR], 'opaque', ([value]) => cidr(value).masked())
define('.prefixLength', [CIDR], 'int', ([value]) => BigInt(cidr(value).length))

function holds(outer: CidrValue, inner: CidrValue): boolean {
  return outer.contains(inner.address, inner.length)
}
