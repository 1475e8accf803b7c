import { setTimeout as sleep } from 'node:timers/promises'
import { type Db, Int32 } from 'mongodb'
import { isDuplicateKey } from '../failures.js'
import { type Migration, migrations } from './list.js'

interface Applied {
  readonly _id: Int32 | number
  readonly name: string
  readonly appliedAt: Date
}

interface Lock {
  readonly _id: string
  readonly owner: string
  readonly expiresAt: Date
}

/** Of the original, another tool's notes are in the same collection; ours have whole numbers as ids. */
const appliedOf = (db: Db) => db.collection<Applied>('schema_migrations')
const lockOf = (db: Db) => db.collection<Lock>('schema_lock')
const LOCK_ID = 'migrations'

/** Of one that died with the lock: no step takes this long. */
const LEASE_MS = 60_000
const POLL_MS = 200

/** The version that this program's documents are of. */
export const latestVersion = Math.max(...migrations.map(({ version }) => version))

/** The version that the database is at; 0: nothing was ever run. */
export async function schemaVersion(db: Db): Promise<number> {
  const [latest] = await appliedOf(db)
    .find({ name: { $exists: true } })
    .sort({ _id: -1 })
    .limit(1)
    .toArray()
  return Number(latest?._id ?? 0)
}

export interface MigrateOptions {
  /** Who runs them: for the lock, and unique. */
  readonly owner: string
  /** How long to wait for another one that runs them. */
  readonly waitMs: number
  readonly note?: (text: string) => void
  /** Instead of this program's own: for tests. */
  readonly list?: readonly Migration[]
}

/**
 * Runs what has not been run yet, one after the other, and notes each. Of several at once, one does and the others wait.
 *
 * @throws Error when the database is newer than this program, or another holds the lock for too long
 */
export async function migrate(
  db: Db,
  { owner, waitMs, note = () => {}, list = migrations }: MigrateOptions,
): Promise<void> {
  await acquire(db, owner, waitMs, note)
  try {
    const at = await schemaVersion(db)
    const newest = Math.max(...list.map(({ version }) => version))
    if (at > newest)
      throw new Error(
        `the database is of version ${at}, and this program knows versions up to ${newest}: a newer one has been here; run that one, or restore what was there before it`,
      )
    for (const { version, name, run } of list) {
      if (version <= at) continue
      await renew(db, owner)
      await run(db)
      await appliedOf(db).insertOne({ _id: new Int32(version), name, appliedAt: new Date() })
      note(`migration ${version}, ${name}: done`)
    }
  } finally {
    await lockOf(db).deleteOne({ _id: LOCK_ID, owner })
  }
}

async function acquire(db: Db, owner: string, waitMs: number, note: (text: string) => void): Promise<void> {
  const deadline = performance.now() + waitMs
  for (let told = false; ; told = true) {
    const now = Date.now()
    try {
      // Taken, if it has run out; inserted, if there is none; and a duplicate of the one that is held.
      await lockOf(db).updateOne(
        { _id: LOCK_ID, expiresAt: { $lt: new Date(now) } },
        { $set: { owner, expiresAt: new Date(now + LEASE_MS) } },
        { upsert: true },
      )
      return
    } catch (error) {
      if (!isDuplicateKey(error)) throw error
    }
    if (performance.now() > deadline)
      throw new Error(
        `another one has held the lock of the migrations for ${waitMs} ms; if none runs, its lease ends by itself within ${LEASE_MS / 1000} s`,
      )
    if (!told) note('another one runs the migrations; waiting for it')
    await sleep(POLL_MS)
  }
}

async function renew(db: Db, owner: string): Promise<void> {
  const { matchedCount } = await lockOf(db).updateOne(
    { _id: LOCK_ID, owner },
    { $set: { expiresAt: new Date(Date.now() + LEASE_MS) } },
  )
  if (matchedCount === 0) throw new Error('the lock of the migrations was taken over: they took longer than its lease')
}
