/** Kubernetes' alphabet for generated names: no vowels, nothing that reads as another letter. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** 53 bits of a string, the same everywhere. Not for secrets. */
export function hash53(text: string): number {
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    high = Math.imul(high ^ unit, 2654435761)
    low = Math.imul(low ^ unit, 1597334677)
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
  return 4294967296 * (2097151 & low) + (high >>> 0)
}

/** As many characters as a generated name has: 10 for a ReplicaSet, 5 for a pod. */
export function nameHash(text: string, length: number): string {
  let rest = hash53(text)
  let name = ''
  for (let i = 0; i < length; i++) {
    name += alphabet[rest % alphabet.length]
    rest = Math.floor(rest / alphabet.length)
  }
  return name
}

/** JSON with sorted keys: equal data, equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry)}`).join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}
