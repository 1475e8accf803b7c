import { type Filter, Long, ObjectId } from 'mongodb'
import { z } from 'zod'
import { objectId } from '../http/ids.js'
import { pageQuery } from '../http/page.js'
import { defineRoute, type Route } from '../http/route.js'
import type { AuditDoc } from '../store/documents.js'
import type { Store } from '../store/types.js'

const moment = z.iso
  .datetime({ offset: true, error: 'must be a time of RFC 3339, such as 2026-01-31T12:00:00.000Z' })
  .optional()
  .describe('RFC 3339; what is below a millisecond is not looked at')

const query = z.object({
  limit: pageQuery.limit,
  cursor: z
    .string()
    .regex(/^\d{1,16}-[0-9a-f]{24}$/, 'must be the nextCursor of an answer')
    .optional(),
  userId: objectId.optional(),
  action: z.string().min(1).max(64).optional(),
  outcome: z.enum(['ok', 'refused', 'failed']).optional(),
  timestampGTE: moment,
  timestampLTE: moment,
})

const entry = z.object({
  id: z.string(),
  timestamp: z.string().describe('RFC 3339, UTC, with milliseconds'),
  userId: z.string().optional().describe('Absent: nobody who has shown who he is'),
  username: z
    .string()
    .optional()
    .describe('As it was then; of a login that failed, the account that it was tried at, if there is one'),
  action: z.string(),
  target: z.string().optional(),
  outcome: z
    .enum(['ok', 'refused', 'failed'])
    .describe('failed: for a reason of the service; with UNAVAILABLE or INTERNAL it may have been done all the same'),
  code: z.string().optional(),
  requestId: z.string(),
  ip: z.string(),
  unnoted: z
    .int()
    .optional()
    .describe('So many refusals of the same user, action and code before this one were left out'),
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
      const documents = found.slice(0, asked.limit)
      const last = documents.at(-1)
      const more = found.length > asked.limit && last !== undefined
      const next = more ? { nextCursor: `${Number(last.timestamp)}-${last._id.toHexString()}` } : {}
      return { data: { entries: documents.map(written), ...next } }
    },
  })
  return [list]
}

function filterOf({ cursor, userId, action, outcome, timestampGTE, timestampLTE }: Query): Filter<AuditDoc> {
  const all: Filter<AuditDoc>[] = []
  if (cursor !== undefined) {
    const [ms, id] = cursor.split('-') as [string, string]
    const timestamp = Long.fromString(ms)
    all.push({ $or: [{ timestamp: { $lt: timestamp } }, { timestamp, _id: { $lt: new ObjectId(id) } }] })
  }
  if (userId !== undefined) all.push({ userID: new ObjectId(userId) })
  if (action !== undefined) all.push({ action })
  if (outcome !== undefined) all.push({ outcome })
  if (timestampGTE !== undefined) all.push({ timestamp: { $gte: msOf(timestampGTE) } })
  if (timestampLTE !== undefined) all.push({ timestamp: { $lte: msOf(timestampLTE) } })
  return all.length === 0 ? {} : { $and: all }
}

const msOf = (time: string): Long => Long.fromNumber(Date.parse(time))

function written(document: AuditDoc): z.infer<typeof entry> {
  const { _id, timestamp, userID, requestID, expiresAt: _, unnoted, ...rest } = document
  return {
    id: _id.toHexString(),
    timestamp: new Date(Number(timestamp)).toISOString(),
    ...(userID === undefined ? {} : { userId: userID.toHexString() }),
    ...rest,
    requestId: requestID,
    ...(unnoted === undefined ? {} : { unnoted: Number(unnoted) }),
  }
}
