import { refuse } from './refusals.js'
import type { Rule, World } from './world.js'

/* Nodes, their processes, and the audit log (contract 1.6, 1.14). */

/** The pod whose scheduler knows it and whose namespace nobody knows. */
export const STRANGER = 'stranger'

function requireSynced({ synced }: World): void {
  if (!synced) refuse('CLUSTER_UNKNOWN')
}

export const listNodes: Rule<object> = {
  needs: 'pod_pid_mapping.read',
  does: (world) => {
    requireSynced(world)
    return { data: [...world.nodes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, status]) => ({ name, status })) }
  },
}

export const listNodeProcesses: Rule<{ readonly node: string }> = {
  needs: 'pod_pid_mapping.read',
  does: (world, { node }, caller) => {
    requireSynced(world)
    if (!world.nodes.has(node)) refuse('NODE_NOT_FOUND')
    if (!world.schedulers.has(node)) refuse('SCHEDULER_MISSING')
    const here = world.pods.filter((pod) => pod.node === node)
    const maySee = (namespace: string | undefined) => world.acts.maySeePods(caller, 'pod_pid_mapping.read', namespace)
    const seen = here.filter(({ namespace }) => maySee(namespace)).map(({ name }) => name)
    return { data: maySee(undefined) ? [...seen, STRANGER] : seen }
  },
}

export const listAudit: Rule<object> = {
  needs: 'audit.read',
  does: ({ audit }) => ({ data: [...audit].reverse() }),
}
