import { type Filter, Long, ObjectId } from 'mongodb'
import { z } from 'zod'
import { defineRoute, type Route } from '../http/route.js'
import type { AuditDoc } from '../store/documents.js'
import type { Store } from '../store/types.js'

const moment = z.coerce
  .number()
  .int()
  .min(0)
  .max(Number.MAX_SAFE_INTEGER)
  .optional()
  .describe('Milliseconds since 1970')

const query = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z
    .string()
    .regex(/^\d{1,16}-[0-9a-f]{24}$/, 'must be the nextCursor of an answer')
    .optional(),
  userID: z
    .string()
    .regex(/^[0-9a-f]{24}$/i, 'must be the id of a user: 24 hexadecimal digits')
    .optional(),
  action: z.string().min(1).max(64).optional(),
  outcome: z.enum(['ok', 'refused', 'failed']).optional(),
  timestampGTE: moment,
  timestampLTE: moment,
})

const entry = z.object({
  id: z.string(),
  timestamp: z.number().int().describe('Milliseconds since 1970'),
  userID: z.string().optional().describe('Absent: nobody who has shown who he is'),
  username: z
    .string()
    .optional()
    .describe('As it was then; of a login that failed, the account that it was tried at, if there is one'),
  action: z.string(),
  target: z.string().optional(),
  outcome: z.enum(['ok', 'refused', 'failed']),
  code: z.string().optional(),
  requestID: z.string(),
  ip: z.string(),
})

const answer = z.object({ entries: z.array(entry), nextCursor: z.string().optional() })

type Query = z.infer<typeof query>

/** GET /api/v1/audit: who did what, the latest first. */
export function auditRoutes(store: Pick<Store, 'audit'>): readonly Route[] {
  const list = defineRoute({
    method: 'GET',
    path: '/api/v1/audit',
    operationId: 'listAudit',
    tag: 'audit',
    summary: 'Who did what, the latest first',
    permission: 'audit.read',
    query,
    answer,
    errors: [],
    handle: async ({ query: asked }) => {
      const found = await store.audit
        .find(filterOf(asked))
        .sort({ timestamp: -1, _id: -1 })
        .limit(asked.limit + 1)
        .toArray()
      const entries = found.slice(0, asked.limit).map(written)
      const last = entries.at(-1)
      const more = found.length > asked.limit && last !== undefined
      return { data: { entries, ...(more ? { nextCursor: `${last.timestamp}-${last.id}` } : {}) } }
    },
  })
  return [list]
}

function filterOf({ cursor, userID, action, outcome, timestampGTE, timestampLTE }: Query): Filter<AuditDoc> {
  const all: Filter<AuditDoc>[] = []
  if (cursor !== undefined) {
    const [ms, id] = cursor.split('-') as [string, string]
    const timestamp = Long.fromString(ms)
    all.push({ $or: [{ timestamp: { $lt: timestamp } }, { timestamp, _id: { $lt: new ObjectId(id) } }] })
  }
  if (userID !== undefined) all.push({ userID: new ObjectId(userID) })
  if (action !== undefined) all.push({ action })
  if (outcome !== undefined) all.push({ outcome })
  if (timestampGTE !== undefined) all.push({ timestamp: { $gte: Long.fromNumber(timestampGTE) } })
  if (timestampLTE !== undefined) all.push({ timestamp: { $lte: Long.fromNumber(timestampLTE) } })
  return all.length === 0 ? {} : { $and: all }
}

function written({ _id, timestamp, userID, ...rest }: AuditDoc): z.infer<typeof entry> {
  return {
    id: _id.toHexString(),
    timestamp: Number(timestamp),
    ...(userID === undefined ? {} : { userID: userID.toHexString() }),
    ...rest,
  }
}
