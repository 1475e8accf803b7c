import { z } from 'zod'
import { managerErrors } from '../http/errors.js'
import { saying } from '../http/fields.js'
import { nextCursor, pageQuery } from '../http/page.js'
import { defineRoute, type Route } from '../http/route.js'
import type { ClusterView } from '../kubernetes/types.js'
import type { NodeProcesses, SchedulerPush } from '../push/types.js'
import type { PolicyDoc } from '../store/documents.js'
import { requireSynced } from '../strategies/pods.js'

/** As long as the name of any object of Kubernetes may be. */
const MAX_NAME = 253

const nodesQuery = z.object({
  limit: pageQuery.limit,
  cursor: z.string().min(1).max(MAX_NAME).optional().describe('The nextCursor of an answer'),
})

const nodesAnswer = z.object({
  nodes: z.array(z.object({ name: z.string(), status: z.enum(['Ready', 'NotReady', 'Unknown']) })),
  nextCursor,
})

const nodePath = z.object({
  nodeID: z
    .string()
    .refine((text) => text.trim() !== '', saying('NODE_ID_REQUIRED'))
    .max(MAX_NAME),
})

const processesAnswer = z.object({
  pods: z.array(
    z.object({
      podUid: z.string(),
      podId: z.string().optional(),
      podName: z.string().optional().describe('As the Kubernetes API has it; absent where it knows no pod of this UID'),
      k8sNamespace: z.string().optional(),
      processes: z.array(
        z.object({
          pid: z.int(),
          command: z.string(),
          ppid: z.int().optional(),
          containerId: z.string().optional(),
        }),
      ),
    }),
  ),
  timestamp: z.string().describe('When the scheduler read it'),
  nodeName: z.string(),
  nodeId: z.string().optional(),
})

export interface NodesDeps {
  readonly cluster: ClusterView
  readonly push: Pick<SchedulerPush, 'processes'>
}

/** Everything under /api/v1/nodes. */
export function nodeRoutes({ cluster, push }: NodesDeps): readonly Route[] {
  const tag = 'nodes'
  const permission = 'pod_pid_mapping.read'
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/nodes',
      operationId: 'listNodes',
      tag,
      summary: 'The nodes of the cluster, by name',
      permission,
      query: nodesQuery,
      answer: nodesAnswer,
      errors: ['CLUSTER_UNKNOWN'],
      handle: async ({ query: { limit, cursor } }) => {
        requireSynced(cluster)
        const left = cluster
          .nodes()
          .filter(({ name }) => cursor === undefined || name > cursor)
          .sort((a, b) => (a.name < b.name ? -1 : 1))
        const nodes = left.slice(0, limit).map(({ name, status }) => ({ name, status }))
        const last = nodes.at(-1)
        return { data: { nodes, ...(left.length > limit && last !== undefined ? { nextCursor: last.name } : {}) } }
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/nodes/{nodeID}/pods/pids',
      operationId: 'listNodeProcesses',
      tag,
      summary: 'The processes of the pods of a node, as its scheduler sees them',
      permission,
      params: nodePath,
      answer: processesAnswer,
      errors: ['NODE_ID_REQUIRED', 'NODE_NOT_FOUND', 'CLUSTER_UNKNOWN', 'SCHEDULER_MISSING', 'SCHEDULER_UNAVAILABLE'],
      handle: async ({ params: { nodeID }, granted }) => {
        requireSynced(cluster)
        if (!cluster.nodes().some(({ name }) => name === nodeID)) throw managerErrors.error('NODE_NOT_FOUND')
        const found = await ask(push, nodeID)
        return { data: { ...found, pods: visible(nodeID, found.pods, granted, cluster) } }
      },
    }),
  ]
}

async function ask(push: NodesDeps['push'], node: string): Promise<NodeProcesses> {
  let found: NodeProcesses | 'no-scheduler'
  try {
    found = await push.processes(node)
  } catch (cause) {
    throw managerErrors.error('SCHEDULER_UNAVAILABLE', undefined, { cause, headers: { 'retry-after': '5' } })
  }
  if (found === 'no-scheduler') {
    throw managerErrors.error('SCHEDULER_MISSING', undefined, { headers: { 'retry-after': '30' } })
  }
  return found
}

/**
 * The pods of the namespaces that the policies are good for, with their names; whose namespace nobody knows (those that a node runs by
 * itself have another UID there) are for those who may see all. What a scheduler tells of a pod of another node is made up.
 */
function visible(
  node: string,
  pods: NodeProcesses['pods'],
  granted: readonly PolicyDoc[],
  cluster: ClusterView,
): z.infer<typeof processesAnswer>['pods'] {
  const all = granted.some(({ k8sNamespace }) => k8sNamespace === '')
  const allowed = new Set(granted.map(({ k8sNamespace }) => k8sNamespace))
  const known = new Map([...cluster.pods()].map((pod) => [pod.uid, pod]))
  return pods.flatMap((each) => {
    const pod = known.get(each.podUid)
    if (pod === undefined) return all ? [copy(each)] : []
    if (pod.nodeName !== node || !(all || allowed.has(pod.namespace))) return []
    return [{ ...copy(each), podName: pod.name, k8sNamespace: pod.namespace }]
  })
}

const copy = ({ processes, ...rest }: NodeProcesses['pods'][number]) => ({ ...rest, processes: [...processes] })
