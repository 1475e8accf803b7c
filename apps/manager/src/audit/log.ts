import type { Logger } from '@bulkhead/service-kit'
import { Long, ObjectId } from 'mongodb'
import { OPERATION_TIMEOUT_MS } from '../store/client.js'
import type { AuditDoc } from '../store/documents.js'
import type { Store } from '../store/types.js'

/** What happened, as the one who answers knows it. */
export type AuditEntry = Omit<AuditDoc, '_id' | 'timestamp'>

export interface AuditLog {
  /**
   * Writes an entry. Never rejects: what was done is done, and is not undone because it could not be noted. What the
   * database does not take is in the service's own log, whole.
   */
  record(entry: AuditEntry): Promise<void>
}

/** The answer waits for it. */
const WRITE_TIMEOUT_MS = OPERATION_TIMEOUT_MS + 500

/** The audit log in the collection `audit_logs`. */
export function createAuditLog(
  store: Pick<Store, 'audit' | 'within'>,
  log: Logger,
  now: () => number = Date.now,
): AuditLog {
  return {
    record: async (entry) => {
      const document: AuditDoc = { _id: new ObjectId(), timestamp: Long.fromNumber(now()), ...defined(entry) }
      try {
        await store.within(WRITE_TIMEOUT_MS, () => store.audit.insertOne(document))
      } catch (err) {
        const { _id, timestamp, userID, ...rest } = document
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
