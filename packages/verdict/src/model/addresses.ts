import ipaddr from 'ipaddr.js'

type Address = ReturnType<typeof ipaddr.process>

/** A block of addresses, IPv4 or IPv6; a single address is a block of one. */
export interface Block {
  readonly text: string
  contains(address: Address): boolean
}

const fourParts = /^\d+\.\d+\.\d+\.\d+$/

/**
 * An IPv4 (four decimal parts) or IPv6 address; undefined for anything else. IPv4 inside IPv6 (`::ffff:10.0.0.1`)
 * is read as IPv4, as ztunnel does with peer addresses.
 */
export function parseAddress(text: string): Address | undefined {
  // A question asks about the same address again and again.
  if (text !== last.text) last = { text, address: readAddress(text) }
  return last.address
}

let last: { readonly text: string; readonly address: Address | undefined } = { text: '', address: undefined }

function readAddress(text: string): Address | undefined {
  // The library finds out by an exception that a host name is none, which takes longer than all the rest of a verdict.
  if (
    !(fourParts.test(text) && ipaddr.IPv4.isValidFourPartDecimal(text)) &&
    !(text.includes(':') && ipaddr.IPv6.isValid(text))
  )
    return undefined
  return ipaddr.process(text)
}

/** `10.0.0.0/8`, `2001:db8::/32` or a single address; undefined for anything else. */
export function parseBlock(text: string): Block | undefined {
  const slash = text.indexOf('/')
  const base = slash === -1 ? text : text.slice(0, slash)
  if (!ipaddr.IPv4.isValidFourPartDecimal(base) && !(base.includes(':') && ipaddr.IPv6.isValid(base))) return undefined
  const network = ipaddr.parse(base)
  const width = network.kind() === 'ipv4' ? 32 : 128
  const length = slash === -1 ? String(width) : text.slice(slash + 1)
  if (!/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > width) return undefined
  const prefix = Number(length)
  return {
    text,
    // The two families never match each other.
    contains:
      network.kind() === 'ipv4'
        ? within(numberOf(network.toByteArray()), prefix)
        : (address) => address.kind() === 'ipv6' && address.match(network, prefix),
  }
}

/** By arithmetic on one number: a rule may list hundreds of blocks. */
function within(network: number, prefix: number): Block['contains'] {
  const size = 2 ** (32 - prefix)
  const first = network - (network % size)
  return (address) => {
    if (address.kind() !== 'ipv4') return false
    const number = numberOf(address.toByteArray())
    return number >= first && number < first + size
  }
}

const numberOf = (bytes: readonly number[]): number => bytes.reduce((number, byte) => number * 256 + byte, 0)

/** 127.0.0.0/8, ::1, and 0.0.0.0 and ::, which connect() takes as them. */
export function isLoopback(text: string): boolean {
  const address = parseAddress(text)
  if (address === undefined) return false
  return address.range() === 'loopback' || address.toString() === '0.0.0.0' || address.toString() === '::'
}
