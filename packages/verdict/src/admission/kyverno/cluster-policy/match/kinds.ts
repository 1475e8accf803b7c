import { wildcardMatches } from '../values/wildcard.js'

/*
 * `kinds` of a match: `Pod`, `apps/v1/Deployment`, `v1/Pod`, `Pod/ephemeralcontainers`, `*`, with wildcards anywhere.
 */

export interface ObjectKind {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly subResource: string
}

type Selector = readonly [group: string, version: string, kind: string, subResource: string]

const version = /^(v\d+((alpha|beta)\d+)?|\*)$/

export function parseKind(text: string): Selector {
  const slashed = text.split('/')
  const parts = [...slashed.slice(0, -1), ...(slashed.at(-1) ?? '').split('.')]
  const [first = '', second = '', third = '', fourth = ''] = parts
  switch (parts.length) {
    case 1:
      return ['*', '*', first, '']
    case 2:
      if (first === '*' && second === '*') return ['*', '*', '*', '*']
      if (first === '*' && second === second.toLowerCase()) return ['*', '*', first, second]
      return version.test(first) ? ['*', first, second, ''] : ['*', '*', first, second]
    case 3:
      return version.test(first) ? ['*', first, second, third] : [first, second, third, '']
    case 4:
      return [first, second, third, fourth]
    default:
      return ['', '', '', '']
  }
}

/** A rule about pods is also about their ephemeral containers, which arrive by a subresource. */
export function kindMatches(kinds: readonly string[], { group, version, kind, subResource }: ObjectKind): boolean {
  return kinds.some((written) => {
    const [wantedGroup, wantedVersion, wantedKind, wantedSub] = parseKind(written)
    return (
      wildcardMatches(wantedGroup, group) &&
      wildcardMatches(wantedVersion, version) &&
      wildcardMatches(wantedKind, kind) &&
      (wildcardMatches(wantedSub, subResource) ||
        (subResource === 'ephemeralcontainers' && group === '' && version === 'v1' && kind === 'Pod'))
    )
  })
}

/** The kind's own name, where a list of kinds is searched for `Pod`. */
export function plainKind(written: string): string {
  const [, , kind] = parseKind(written)
  return kind
}
