import { BlockList, isIP } from 'node:net'
import { quote } from '../../diagnostics.js'
import { type Fields, itemsOf } from '../../plain.js'
import type { At } from '../schema.js'

export { type Fields, isObject, isSet, itemsOf } from '../../plain.js'

/* Forms of single values in network policies. */

/** The entries of a list that are objects, with their index; none of what is not a list. */
export function objectsOf(value: unknown): [number, Fields][] {
  return itemsOf(value).flatMap((item, index) =>
    typeof item === 'object' && item !== null && !Array.isArray(item) ? [[index, item as Fields]] : [],
  )
}

interface Block {
  readonly family: 'ipv4' | 'ipv6'
  readonly address: string
  readonly bits: number
}

/** An address, a slash and a number of bits: nothing less is taken. */
export function blockOf(text: string): Block | undefined {
  const slash = text.indexOf('/')
  const address = text.slice(0, slash)
  const bits = text.slice(slash + 1)
  const version = isIP(address)
  if (slash === -1 || version === 0 || address.includes('%') || !/^(0|[1-9][0-9]{0,2})$/.test(bits)) return undefined
  if (Number(bits) > (version === 4 ? 32 : 128)) return undefined
  return { family: version === 4 ? 'ipv4' : 'ipv6', address, bits: Number(bits) }
}

export function checkBlock(text: string, at: At): void {
  if (blockOf(text) !== undefined) return
  const hint =
    isIP(text) === 0 ? ', such as 10.0.0.0/16' : `; for this one address write ${text}/${isIP(text) === 4 ? 32 : 128}`
  at.error('value.cidr', `${quote(text)} is not a CIDR block${hint}`)
}

/** @param strictly an exception as large as the block is refused, too: the API server does, Cilium does not */
export function checkExceptions(cidr: unknown, except: unknown, at: At, strictly: boolean): void {
  const outer = typeof cidr === 'string' ? blockOf(cidr) : undefined
  if (outer === undefined) return
  const blocks = new BlockList()
  blocks.addSubnet(outer.address, outer.bits, outer.family)
  for (const [index, text] of itemsOf(except).entries()) {
    const inner = typeof text === 'string' ? blockOf(text) : undefined
    if (inner === undefined) continue
    const inside = inner.family === outer.family && blocks.check(inner.address, inner.family)
    if (inside && (strictly ? inner.bits > outer.bits : inner.bits >= outer.bits)) continue
    at.at('except', index).error(
      'cidr.except',
      `${quote(text)} is not inside of ${quote(cidr)}: an exception takes a part of the block away`,
    )
  }
}

/** IANA_SVC_NAME: at most 15 of a-z, 0-9 and `-`, with a letter, and no `-` at an end or beside another. */
export function isPortName(text: string, caseless = false): boolean {
  const name = caseless ? text.toLowerCase() : text
  return (
    name.length >= 1 &&
    name.length <= 15 &&
    /^[a-z0-9-]+$/.test(name) &&
    /[a-z]/.test(name) &&
    !name.includes('--') &&
    !name.startsWith('-') &&
    !name.endsWith('-')
  )
}
