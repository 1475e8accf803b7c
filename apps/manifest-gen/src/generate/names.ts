import type { Description, Peer } from '../description/types.js'

type Named = Pick<Description, 'name' | 'namespace'>

/*
 * Policies at other ends are named after both. A dot parts the workload from its namespace, and what is called from what
 * of it is meant, since none of their names can hold one; and no workload that is described is called `...-to-...` or
 * `...-from-...`. So no two descriptions make the same name.
 */

/** In the caller's namespace: `sleep-to-worker.demo`. */
export const toName = (peer: Peer, { name, namespace }: Named): string => `${peer.name}-to-${name}.${namespace}`
/** In the namespace of what is called: `postgres-from-worker.demo`. */
export const fromName = (called: string, { name, namespace }: Named): string => `${called}-from-${name}.${namespace}`
/** Of what is called only its waypoint, or its requests: `web-api.requests-from-worker.demo`. */
export const partName = (called: string, part: 'waypoint' | 'requests', described: Named): string =>
  fromName(`${called}.${part}`, described)
