/*
 * Test code: the small languages that network policies hold (addresses, names, requests), read slowly for
 * naive-network.ts. It shares no line with the engine.
 */

export type Plain = { readonly [key: string]: unknown }

export function get(value: unknown, ...keys: string[]): unknown {
  let here = value
  for (const key of keys) here = here !== null && typeof here === 'object' ? (here as Plain)[key] : undefined
  return here
}

/** The entries of a list; of what is missing, none. Whether it is missing is asked with `given`. */
export function entries(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

export function given(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** An address as a text of zeros and ones. */
function bits(ip: string): string {
  if (!ip.includes(':'))
    return ip
      .split('.')
      .map((byte) => Number(byte).toString(2).padStart(8, '0'))
      .join('')
  const [head = '', tail] = ip.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const middle = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...middle, ...right].map((word) => Number.parseInt(word, 16).toString(2).padStart(16, '0')).join('')
}

export function inBlock(ip: string, block: string): boolean {
  const [base = '', length] = block.split('/')
  const [a, b] = [bits(ip), bits(base)]
  if (a.length !== b.length) return false
  const count = length === undefined ? b.length : Number(length)
  return a.slice(0, count) === b.slice(0, count)
}

/** `cidr` without what is in `except`. */
export function inBlockWithout(ip: string, cidr: unknown, except: unknown): boolean {
  return inBlock(ip, String(cidr)) && !entries(except).some((hole) => inBlock(ip, String(hole)))
}

/** A `*` inside a label: nothing, or as many characters of it as there are. */
function labelLike(pattern: string, label: string): boolean {
  if (pattern === '') return label === ''
  if (pattern[0] !== '*') return label !== '' && pattern[0] === label[0] && labelLike(pattern.slice(1), label.slice(1))
  for (let from = 0; from <= label.length; from++) if (labelLike(pattern.slice(1), label.slice(from))) return true
  return false
}

function labelsLike(patterns: readonly string[], labels: readonly string[]): boolean {
  const [pattern, ...more] = patterns
  if (pattern === undefined) return labels.length === 0
  if (labels.length === 0) return false
  if (pattern !== '**') return labelLike(pattern, String(labels[0])) && labelsLike(more, labels.slice(1))
  // One or more whole labels.
  for (let taken = 1; taken <= labels.length; taken++) if (labelsLike(more, labels.slice(taken))) return true
  return false
}

function nameOf(text: unknown): string {
  return String(text).toLowerCase().replace(/\.$/, '')
}

/** B.6: an entry of `toFQDNs` or of a DNS rule. */
export function fqdnHolds(entry: unknown, name: string): boolean {
  const exact = get(entry, 'matchName')
  if (given(exact)) return nameOf(exact) === nameOf(name)
  const pattern = nameOf(get(entry, 'matchPattern'))
  return pattern === '*' || labelsLike(pattern.split('.'), nameOf(name).split('.'))
}

/** B.7, serverNames. */
export function serverNameHolds(pattern: unknown, sni: string | undefined): boolean {
  if (sni === undefined || sni === '') return false
  const wanted = String(pattern).toLowerCase()
  return wanted === '*' || labelsLike(wanted.split('.'), sni.toLowerCase().split('.'))
}

export interface NaiveRequest {
  readonly method: string
  readonly path: string
  readonly host: string
  readonly headers: { readonly [name: string]: string }
}

/** B.7, http: regular expressions held at both ends, the path with its query; headers exact, or there at all. */
export function httpHolds(rule: unknown, request: NaiveRequest): boolean {
  for (const field of ['method', 'path', 'host'] as const) {
    const pattern = get(rule, field)
    if (given(pattern) && pattern !== '' && !new RegExp(`^(?:${String(pattern)})$`).test(request[field])) return false
  }
  const value = (name: unknown): string | undefined => request.headers[String(name).toLowerCase()]
  for (const header of entries(get(rule, 'headers')).map(String)) {
    const colon = header.indexOf(':')
    if (colon === -1 && value(header.trim()) === undefined) return false
    if (colon !== -1 && value(header.slice(0, colon).trim()) !== header.slice(colon + 1).trim()) return false
  }
  for (const match of entries(get(rule, 'headerMatches'))) {
    if (given(get(match, 'mismatch'))) continue
    const [wanted, has] = [get(match, 'value'), value(get(match, 'name'))]
    if (given(wanted) ? has !== wanted : has === undefined) return false
  }
  return true
}
