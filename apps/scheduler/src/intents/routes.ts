import { MAX_SET_BYTES, readIntentSet } from '@bulkhead/intents'
import { z } from 'zod'
import { schedulerErrors } from '../http/errors.js'
import { InvalidFields } from '../http/fields.js'
import { defineRoute, type Route } from '../http/route.js'
import type { ProcessSource } from '../processes/source.js'
import { type NodeIntents, processKey } from './node-intents.js'

const deletion = z.object({
  all: z.boolean().optional(),
  podId: z.string().max(128).optional(),
  pid: z.int().min(1).optional(),
})

const taken = z.object({ version: z.int(), rootHash: z.string(), intents: z.int() })

export interface IntentRouteDeps {
  readonly intents: NodeIntents
  readonly processes: ProcessSource
}

export const intentRoutes = ({ intents, processes }: IntentRouteDeps): readonly Route[] => [
  defineRoute({
    method: 'PUT',
    path: '/api/v1/intents',
    operationId: 'putIntents',
    summary: 'All intents of this node: they replace what is in force, if their version is higher',
    caller: 'manager',
    body: z.unknown(),
    maxBodyBytes: MAX_SET_BYTES,
    answer: taken,
    errors: ['VERSION_PASSED', 'VERSION_TAKEN', 'SET_INVALID'],
    async handle(body) {
      const set = readIntentSet(body)
      if (!('version' in set))
        throw new InvalidFields(set.some(({ type }) => type) ? 'INVALID_BODY' : 'SET_INVALID', set)
      const { version, rootHash, intents: inForce } = await intents.put(set)
      return { data: { version, rootHash, intents: inForce.length } }
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/api/v1/intents',
    operationId: 'deleteIntents',
    summary: 'Takes out all intents, those of a pod, or one process of a pod, until the next set',
    caller: 'manager',
    body: deletion,
    errors: ['POD_ID_REQUIRED', 'PROCESSES_UNKNOWN'],
    async handle({ all, podId, pid }) {
      if (all === true) intents.delete()
      else if (podId === undefined || podId === '') throw schedulerErrors.error('POD_ID_REQUIRED')
      else if (pid === undefined) intents.delete(podId)
      else {
        const { pods } = await processes.read().catch((cause: unknown) => {
          throw schedulerErrors.error('PROCESSES_UNKNOWN', undefined, { cause })
        })
        const found = pods.get(podId) ?? []
        const running = new Set(found.map((one) => processKey(one.pid, one.startTime)))
        const process = found.find((one) => one.pid === pid)
        if (process !== undefined) intents.deleteProcess(podId, processKey(pid, process.startTime), running)
      }
      return {}
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/api/v1/intents/merkle',
    operationId: 'getMerkleRoot',
    summary: 'The Merkle root over the intents that are in force',
    caller: 'manager',
    answer: z.object({ rootHash: z.string() }),
    errors: [],
    handle: () => ({ data: { rootHash: intents.inForce.rootHash } }),
  }),
]
