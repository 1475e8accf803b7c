import { refuse } from './refusals.js'
import type { Intent } from './things.js'
import type { Rule } from './world.js'

/* Schedulers, and what they say of themselves (contract 1.10, D10, M17). */

/** Whom the manifests let be a scheduler. */
export const ACCOUNT = 'gthulhu'
export const NAMESPACE = 'gthulhu-node'

export interface Said {
  readonly node: string
  /** Which of the pods that there may be it says it is. */
  readonly pod: number
  /** What it says that it has: what it should, or something else. */
  readonly root: 'right' | 'other'
}

export const reportScheduler: Rule<Said> = {
  needs: 'scheduler',
  noted: 'scheduler.report',
  node: ({ node }) => node,
  does: (world, { node, pod: number, root }) => {
    if (!world.synced) refuse('CLUSTER_UNKNOWN')
    if (!world.nodes.has(node)) refuse('NODE_NOT_FOUND')
    const pod = world.at(world.everyPod, number)
    const isThere = pod !== undefined && world.pods.includes(pod) && pod.node === node
    if (!isThere || pod.namespace !== NAMESPACE || pod.account !== ACCOUNT)
      return refuse(
        'NOT_A_SCHEDULER',
        `The Kubernetes API knows no scheduler ${JSON.stringify(pod?.name)} on this node (namespace ${NAMESPACE}, ServiceAccount ${ACCOUNT}). One that has just started is known in a moment.`,
      )
    const due = world.dueAt(node)
    world.reports.set(node, { pod, has: root === 'right' ? due : undefined })
    if (root === 'other') world.tell([node])
    return { data: { due, inSync: root === 'right' } }
  },
}

export interface Listed {
  readonly node: string
  readonly podName: string
  readonly has: readonly Intent[] | undefined
  readonly due: readonly Intent[]
}

export const listSchedulers: Rule<object> = {
  needs: 'pod_pid_mapping.read',
  does: (world) => ({
    data: [...world.reports]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([node, { pod, has }]): Listed => ({ node, podName: pod.name, has, due: world.dueAt(node) })),
  }),
}
