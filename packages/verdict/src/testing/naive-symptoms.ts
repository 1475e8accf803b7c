import type { NaiveWay, Said, Station } from './naive-way.js'

/*
 * Test code: what the client of a call sees (semantics D.1), for naive-way.ts. It shares no line with the engine.
 */

export function naiveSymptoms(
  outcome: NaiveWay['outcome'],
  by: Said | undefined,
  proxies: readonly Station[],
  isCaptured: boolean,
  target = '/',
): string[] {
  if (outcome === 'unknown') return []
  if (by === undefined) return ['ok']
  const [first] = proxies
  // Cilium's proxy answers the request, and whoever asked hands it on.
  if (by.codes[0] === 'cni.http-denied') return target[0] === '/' ? ['cilium-403'] : ['cilium-403', 'reset']
  const says = ownWord(by, proxies[by.hop])
  // Of what stops a proxy on its way, its client sees only that it did; what a waypoint answers, a gateway passes on.
  if (by.hop > 0 && first === 'waypoint of connections') return isDropped(by) ? ['late-reset'] : ['reset']
  if (by.hop > 0) return says?.startsWith('rbac') ? [says] : ['gateway-503']
  if (says !== undefined) return [says]
  if (isDropped(by)) return [isCaptured ? 'late-reset' : 'timeout']
  if (by.point === 'network' && !isCaptured) return ['refused', 'timeout']
  return ['reset']
}

const isDropped = ({ point }: Said): boolean => point === 'cni-egress' || point === 'cni-ingress'

/** What a proxy answers by itself; undefined for who has no word for it. */
function ownWord({ point, codes: [code = ''] }: Said, proxy: Station | undefined): string | undefined {
  if (point !== 'gateway' && point !== 'waypoint') return undefined
  if (code === 'request.refused') return 'gateway-400'
  if (code === 'route.no-host' || code === 'route.no-match') return 'gateway-404'
  if (code === 'route.no-backend') return 'gateway-500'
  return proxy === 'waypoint of connections' ? undefined : 'rbac-403'
}
