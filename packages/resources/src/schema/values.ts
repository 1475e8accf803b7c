import { isIP, isIPv4 } from 'node:net'
import { quote } from '../diagnostics.js'
import type { At } from './schema.js'

/*
 * Forms of single values in Istio's security policies. Source: istio pkg/config/security (what istiod's webhook refuses).
 */

export function checkNotEmpty(value: string, at: At): void {
  if (value === '') at.error('value.empty', 'an empty value matches nothing and is refused; remove it')
}

/** An address, or a CIDR block. */
export function checkAddress(value: string, at: At): void {
  const slash = value.indexOf('/')
  const address = slash === -1 ? value : value.slice(0, slash)
  const version = isIP(address)
  if (version === 0 || (slash !== -1 && address.includes('%'))) {
    at.error('value.address', `${quote(value)} is not an IP address or a CIDR block, such as 10.0.0.7 or 10.0.0.0/16`)
    return
  }
  if (slash === -1) return
  const bits = value.slice(slash + 1)
  const most = version === 4 ? 32 : 128
  if (!/^(0|[1-9][0-9]{0,2})$/.test(bits) || Number(bits) > most) {
    at.error(
      'value.address',
      `${quote(value)} is not a CIDR block: the part after "/" must be a number from 0 to ${most}`,
    )
    return
  }
  if (isIPv4(address) && hasHostBits(address, Number(bits))) {
    at.warn(
      'value.address-host-bits',
      `${quote(value)} has bits set beyond its /${bits}: the whole block is matched, not that one address`,
    )
  }
}

function hasHostBits(address: string, bits: number): boolean {
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  return number % 2 ** (32 - bits) !== 0
}

/** Ports are text in AuthorizationPolicy. */
export function checkPort(value: string, at: At): void {
  checkNotEmpty(value, at)
  if (value !== '' && (!/^[0-9]+$/.test(value) || Number(value) > 65535)) {
    at.error('value.port', `${quote(value)} is not a port: policies take numbers from 0 to 65535 as text, and no names`)
  }
}

/** `serviceAccount` or `namespace/serviceAccount`; exact, no wildcard. */
export function checkServiceAccount(value: string, at: At): void {
  const parts = value.split('/')
  if (value.includes('*')) {
    at.error(
      'value.service-account',
      `${quote(value)}: serviceAccounts take no wildcard; name each one, or use principals`,
    )
  } else if (parts.length > 2 || parts.some((part) => part === '')) {
    at.error(
      'value.service-account',
      `${quote(value)} is not a service account: write "name" (of the policy's namespace) or "namespace/name"`,
    )
  }
}

/** Exact, `abc*`, `*abc` or `*`: one star, at an end. */
export function checkWildcard(value: string, at: At): void {
  checkNotEmpty(value, at)
  const stars = value.split('*').length - 1
  if (stars > 1 || (stars === 1 && !value.startsWith('*') && !value.endsWith('*'))) {
    at.error('value.wildcard', `${quote(value)}: one "*" is taken, at the start or at the end`)
  }
}

export function checkTrustDomain(value: string, at: At): void {
  checkWildcard(value, at)
  if (value.includes('/'))
    at.error(
      'value.trust-domain',
      `${quote(value)} is not a trust domain: it holds a "/"; a whole identity goes under principals`,
    )
}

/** `/a/{*}/b`, `/a/{**}`: templates stand for whole segments, and `{**}` is the last of them. */
export function checkPathTemplate(value: string, at: At): void {
  checkNotEmpty(value, at)
  const wrong = pathMistake(value)
  if (wrong !== undefined) at.error('value.path', `the path ${quote(value)} ${wrong}`)
}

function pathMistake(path: string): string | undefined {
  const isTemplate = path.includes('{*}') || path.includes('{**}')
  let anySeen = false
  for (const segment of trimSlashes(path).split('/')) {
    if (segment === '{*}' || segment === '{**}') {
      if (anySeen) return 'has an operator after {**}, which must be the last'
      anySeen = segment === '{**}'
    } else if (/[{}]/.test(segment)) {
      return 'has braces that are no template: {*} is one whole segment, {**} any number of them'
    } else if (isTemplate && !/^[a-zA-Z0-9\-._~%!$&'()+,;:@=]+$/.test(segment)) {
      return `mixes a template with ${quote(segment)}; "*" and empty segments do not go with {*} and {**}`
    }
  }
  return undefined
}

function trimSlashes(path: string): string {
  let start = 0
  let end = path.length
  while (start < end && path[start] === '/') start += 1
  while (end > start && path[end - 1] === '/') end -= 1
  return path.slice(start, end)
}

/**
 * Identities are `<trust domain>/ns/<namespace>/sa/<service account>`, without `spiffe://`. Another form is accepted
 * by istiod and matches nobody, which in an ALLOW is a locked door and in a DENY an open one.
 */
export function checkPrincipal(value: string, at: At): void {
  checkNotEmpty(value, at)
  if (value === '' || value === '*') return
  if (value.startsWith('spiffe://')) {
    at.warn(
      'value.principal-form',
      `the principal ${quote(value)} matches nobody: identities are compared without spiffe://; take it away`,
    )
  } else if (value.slice(1, -1).includes('*')) {
    at.warn(
      'value.principal-form',
      `the principal ${quote(value)} matches nobody: a "*" inside is a plain character; only one at the start or the end is a wildcard`,
    )
  } else if (!value.includes('*') && !/^[^/]+\/ns\/[^/]+\/sa\/[^/]+$/.test(value)) {
    at.warn(
      'value.principal-form',
      `the principal ${quote(value)} matches nobody: identities are <trust domain>/ns/<namespace>/sa/<service account>`,
    )
  }
}

/** Namespaces, hosts, methods, request principals: text with at most a star at an end. */
export function checkText(value: string, at: At): void {
  checkNotEmpty(value, at)
  if (value.slice(1, -1).includes('*')) {
    at.warn(
      'value.inner-star',
      `${quote(value)}: a "*" inside is a plain character; only one at the start or the end is a wildcard`,
    )
  }
}
