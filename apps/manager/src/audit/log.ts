import type { Logger } from '@bulkhead/service-kit'
import { Int32, Long, ObjectId } from 'mongodb'
import { OPERATION_TIMEOUT_MS } from '../store/client.js'
import type { AuditDoc } from '../store/documents.js'
import type { Store } from '../store/types.js'
import { type RefusalLimits, Refusals } from './refusals.js'

/** What happened, as the one who answers knows it. */
export type AuditEntry = Omit<AuditDoc, '_id' | 'timestamp' | 'expiresAt' | 'unnoted'>

export interface AuditLog {
  /**
   * Writes an entry. Never rejects: what was done is done, and is not undone because it could not be noted. What the
   * database does not take is in the service's own log, whole. Of refusals that one caller makes without end, some are counted only.
   */
  record(entry: AuditEntry): Promise<void>
}

/** The answer waits for it. */
const WRITE_TIMEOUT_MS = OPERATION_TIMEOUT_MS + 500

/** A scheduler's report: it is no user, and tries again and again. */
export const REPORT_ACTION = 'scheduler.report'

export const DAY_MS = 24 * 60 * 60 * 1_000
/** Of all refused reports together: their one key signs for any name of a node, and so do as many kinds as its thief likes. */
const REPORT_LIMITS = { burst: 500, everyMs: 60_000 } as const

/** How long an entry is kept, unless it is said otherwise. */
export const RETENTION_MS = 90 * DAY_MS

export interface AuditOptions {
  readonly retentionMs?: number
  readonly refusals?: RefusalLimits
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** The audit log in the collection `audit_logs`. */
export function createAuditLog(
  store: Pick<Store, 'audit' | 'within'>,
  log: Logger,
  { retentionMs = RETENTION_MS, refusals: limits, now = Date.now }: AuditOptions = {},
): AuditLog {
  const refusals = new Refusals(limits)
  const reports = new Refusals({ ...limits, ...REPORT_LIMITS })
  /** How many like it were left out before it; undefined: so is this one. Logins of nobody known have limits of their own. */
  const unnotedBefore = ({ outcome, userID, username, action, code = '' }: AuditEntry): number | undefined => {
    const who = userID?.toHexString() ?? (action === REPORT_ACTION ? username : undefined)
    if (outcome === 'ok' || who === undefined) return 0
    const before = refusals.take(`${who} ${action} ${code}`)
    if (before === undefined || userID !== undefined) return before
    const others = reports.take(action)
    return others === undefined ? undefined : before + others
  }
  return {
    record: async (entry) => {
      const unnoted = unnotedBefore(entry)
      if (unnoted === undefined) return
      const at = now()
      const document: AuditDoc = {
        _id: new ObjectId(),
        timestamp: Long.fromNumber(at),
        expiresAt: new Date(at + retentionMs),
        ...defined(entry),
        ...(unnoted === 0 ? {} : { unnoted: new Int32(unnoted) }),
      }
      try {
        await store.within(WRITE_TIMEOUT_MS, () => store.audit.insertOne(document))
      } catch (err) {
        const { _id, timestamp, userID, unnoted: _u, expiresAt: _e, ...rest } = document
        log.error(
          {
            err,
            audit: { id: _id.toHexString(), timestamp: Number(timestamp), userID: userID?.toHexString(), ...rest },
          },
          'an entry of the audit log could not be stored',
        )
      }
    },
  }
}

/** Without the members that are undefined: they would be stored as null. */
function defined(entry: AuditEntry): AuditEntry {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined)) as unknown as AuditEntry
}
