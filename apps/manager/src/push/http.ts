import type { KeyObject } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { Assertions, managerTo } from '@bulkhead/intents'
import { Agent, request } from 'undici'
import { z } from 'zod'
import type { ClusterView, PodView } from '../kubernetes/types.js'
import type { IntentDoc } from '../store/documents.js'
import type { NodeProcesses, SchedulerPush } from './types.js'

/** For all of one exchange with a scheduler (contract M18: no call without an end). */
export const PUSH_TIMEOUT_MS = 3_000
/** Of an answer: more is not read. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024
/** What schedulers' pods are labelled with (contract 1.8.5). */
const LABEL = { key: 'app', value: 'decisionmaker' } as const
/** Where a pod that declares no port is asked. */
const DEFAULT_PORT = 8080

export interface HttpPushOptions {
  readonly cluster: Pick<ClusterView, 'pods'>
  /** Signs what the manager says of itself; schedulers know its public half. */
  readonly key: KeyObject
  /** Only pods of this namespace and this ServiceAccount are schedulers, whatever others are labelled (contract M17). */
  readonly namespace: string
  readonly serviceAccount: string
  readonly timeoutMs?: number
}

/** Speaks with the schedulers' pods over HTTP, at the addresses that the Kubernetes API has for them. */
export function createHttpPush({
  cluster,
  key,
  namespace,
  serviceAccount,
  timeoutMs = PUSH_TIMEOUT_MS,
}: HttpPushOptions): SchedulerPush {
  const assertions = new Assertions(key, managerTo)
  const agent = new Agent({
    connect: { timeout: timeoutMs },
    connections: 2,
    maxResponseSize: MAX_ANSWER_BYTES,
    keepAliveTimeout: 10_000,
  })

  /** The node's schedulers: one, but for moments in which one follows another. */
  const schedulersOf = (node: string): PodView[] => {
    const found: PodView[] = []
    for (const pod of cluster.pods()) {
      if (pod.nodeName !== node || pod.namespace !== namespace || pod.serviceAccount !== serviceAccount) continue
      if (!Object.hasOwn(pod.labels, LABEL.key) || pod.labels[LABEL.key] !== LABEL.value) continue
      // The node's own address, which the original falls back to, is not the pod's alone.
      if (pod.phase === 'Running' && pod.podIP !== '') found.push(pod)
    }
    return found
  }

  const exchange = async (pod: PodView, method: 'GET' | 'PUT', path: string, body?: object): Promise<unknown> => {
    const url = `${originOf(pod)}${path}`
    try {
      const { statusCode, body: answer } = await request(url, {
        dispatcher: agent,
        method,
        headers: {
          authorization: `Bearer ${await assertions.for(pod.nodeName)}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
      })
      const text = await answer.text()
      if (statusCode !== 200) throw new Error(`it answered ${statusCode} ${JSON.stringify(text.slice(0, 200))}`)
      return JSON.parse(text)
    } catch (cause) {
      throw new Error(
        `the scheduler ${pod.namespace}/${pod.name} at ${url}: ${cause instanceof Error ? cause.message : cause}`,
        { cause },
      )
    }
  }

  return {
    async push({ node, version, intents }) {
      const schedulers = schedulersOf(node)
      const body = { version, intents: intents.map(written) }
      await Promise.all(schedulers.map((pod) => exchange(pod, 'PUT', '/api/v1/intents', body)))
      return schedulers.length === 0 ? 'no-scheduler' : 'sent'
    },
    async processes(node) {
      const [pod] = schedulersOf(node)
      if (pod === undefined) return 'no-scheduler'
      return readProcesses(await exchange(pod, 'GET', '/api/v1/pods/pids'))
    },
    async close() {
      await agent.destroy()
    },
  }
}

function originOf({ podIP, containers }: PodView): string {
  const port = containers.flatMap(({ ports }) => ports)[0] ?? DEFAULT_PORT
  return `http://${isIPv6(podIP) ? `[${podIP}]` : podIP}:${port}`
}

/** An intent as schedulers take it (contracts/scheduler 2.1). */
function written(intent: IntentDoc): object {
  const { podName, podID, nodeID, k8sNamespace, commandRegex, priority, executionTime, podLabels } = intent
  return {
    podName,
    podID,
    nodeID,
    k8sNamespace,
    commandRegex,
    priority: Number(priority),
    executionTime: Number(executionTime),
    podLabels,
  }
}

const processesAnswer = z.object({
  data: z.object({
    pods: z
      .array(
        z.object({
          pod_uid: z.string(),
          pod_id: z.string().optional(),
          processes: z
            .array(
              z.object({
                pid: z.int(),
                command: z.string(),
                ppid: z.int().optional(),
                container_id: z.string().optional(),
              }),
            )
            .nullable(),
        }),
      )
      .nullable(),
    timestamp: z.string(),
    node_name: z.string(),
    node_id: z.string().optional(),
  }),
})

/** @throws Error when it is not what a scheduler answers */
function readProcesses(answer: unknown): NodeProcesses {
  const read = processesAnswer.safeParse(answer)
  if (!read.success) throw new Error(`the scheduler’s answer is not of its contract: ${z.prettifyError(read.error)}`)
  const { pods, timestamp, node_name, node_id } = read.data.data
  return {
    pods: (pods ?? []).map(({ pod_uid, pod_id, processes }) => ({
      podUid: pod_uid,
      podId: pod_id,
      processes: (processes ?? []).map(({ pid, command, ppid, container_id }) => ({
        pid,
        command,
        ppid,
        containerId: container_id,
      })),
    })),
    timestamp,
    nodeName: node_name,
    nodeId: node_id,
  }
}
