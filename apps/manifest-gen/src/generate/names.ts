import type { Description, Peer } from '../description/types.js'

type Named = Pick<Description, 'name' | 'namespace'>

/*
 * Policies at other ends are named after both. A dot parts the workload from its namespace, since neither can hold one: no
 * two descriptions make the same name.
 */

/** In the caller's namespace: `sleep-to-worker.demo`. */
export const toName = (peer: Peer, { name, namespace }: Named): string => `${peer.name}-to-${name}.${namespace}`
/** In the namespace of what is called: `postgres-from-worker.demo`. */
export const fromName = (called: string, { name, namespace }: Named): string => `${called}-from-${name}.${namespace}`
