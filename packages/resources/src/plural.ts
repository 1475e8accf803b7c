/** `pods`, `networkpolicies`, `ingresses`: the resource by which requests, rules and roles name a kind. */
export function pluralOf(kind: string): string {
  const lower = kind.toLowerCase()
  // Endpoints is the one whose kind is a plural.
  if (lower === 'endpoints') return lower
  if (/[^aeiou]y$/.test(lower)) return `${lower.slice(0, -1)}ies`
  return /(s|x|z|ch|sh)$/.test(lower) ? `${lower}es` : `${lower}s`
}
