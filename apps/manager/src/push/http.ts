import type { KeyObject } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { Assertions, managerTo } from '@bulkhead/intents'
import { Agent, request } from 'undici'
import { z } from 'zod'
import type { ClusterView, PodView } from '../kubernetes/types.js'
import { type SchedulerIdentity, schedulersByNode } from '../schedulers/identity.js'
import { type NodeIntents, type NodeProcesses, OutdatedSet, type SchedulerPush } from './types.js'

/** For all of one exchange with a scheduler (contract M18: no call without an end). */
export const PUSH_TIMEOUT_MS = 3_000
/** Of an answer: more is not read. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024
/** Where a pod that declares no port is asked. */
const DEFAULT_PORT = 8080

export interface HttpPushOptions extends SchedulerIdentity {
  readonly cluster: Pick<ClusterView, 'pods'>
  /** Signs what the manager says of itself; schedulers know its public half. */
  readonly key: KeyObject
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

  const schedulersOf = (node: string): readonly PodView[] => {
    const here: PodView[] = []
    for (const pod of cluster.pods()) if (pod.nodeName === node) here.push(pod)
    return schedulersByNode(here, { namespace, serviceAccount }).get(node) ?? []
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
      if (statusCode !== 200) throw new Refusal(statusCode, text)
      return JSON.parse(text)
    } catch (cause) {
      throw new Failure(
        `the scheduler ${pod.namespace}/${pod.name} at ${url}: ${cause instanceof Error ? cause.message : cause}`,
        { cause },
      )
    }
  }

  const rootOf = async (pod: PodView) => readAnswer(merkleAnswer, await exchange(pod, 'GET', '/api/v1/intents/merkle'))

  const tell = async (pod: PodView, { version, intents, rootHash }: NodeIntents): Promise<void> => {
    let answer: unknown
    try {
      answer = await exchange(pod, 'PUT', '/api/v1/intents', { version, intents })
    } catch (error) {
      if (!(error instanceof Failure && error.cause instanceof Refusal && error.cause.status === 409)) throw error
      throw new OutdatedSet(error.message, { cause: error })
    }
    const taken = readAnswer(setAnswer, answer)
    if (taken.rootHash !== rootHash)
      throw new Error(
        `the scheduler ${pod.namespace}/${pod.name} was sent a set of ${intents.length} intents with the root ${rootHash}, and says that it has ${taken.intents} with the root ${taken.rootHash}`,
      )
  }

  return {
    async push(set) {
      const schedulers = schedulersOf(set.node)
      await Promise.all(schedulers.map((pod) => tell(pod, set)))
      return schedulers.length === 0 ? 'no-scheduler' : 'sent'
    },
    async roots(node) {
      const all = await Promise.all(schedulersOf(node).map(rootOf))
      return all.map(({ rootHash }) => rootHash)
    },
    async processes(node) {
      const [pod] = schedulersOf(node)
      if (pod === undefined) return 'no-scheduler'
      const found = readProcesses(await exchange(pod, 'GET', '/api/v1/pods/pids'))
      if (found.nodeName !== node)
        throw new Error(
          `the scheduler ${pod.namespace}/${pod.name} was asked as that of ${JSON.stringify(node)}, and answers as that of ${JSON.stringify(found.nodeName.slice(0, 253))}`,
        )
      return found
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

/** An answer of a scheduler that is none of those that are asked for. */
class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number

  constructor(status: number, text: string) {
    super(`it answered ${status} ${JSON.stringify(text.slice(0, 200))}`)
    this.status = status
  }
}

/** An exchange that did not come to its end; `cause` is what ended it. */
class Failure extends Error {
  override readonly name = 'Failure'
}

const rootHash = z.string().regex(/^[0-9a-f]{64}$/)
const setAnswer = z.object({ version: z.int(), rootHash, intents: z.int() })
const merkleAnswer = z.object({ rootHash })

const processesAnswer = z.object({
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
})

/** The data of an answer. @throws Error when it is not what a scheduler answers */
function readAnswer<T>(data: z.ZodType<T>, answer: unknown): T {
  const read = z.object({ data }).safeParse(answer)
  if (!read.success) throw new Error(`the scheduler’s answer is not of its contract: ${z.prettifyError(read.error)}`)
  return read.data.data
}

/** @throws Error when it is not what a scheduler answers */
function readProcesses(answer: unknown): NodeProcesses {
  const { pods, timestamp, node_name, node_id } = readAnswer(processesAnswer, answer)
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
