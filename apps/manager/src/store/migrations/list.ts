import { type Db, Int32, Long, MongoServerError, ObjectId } from 'mongodb'
import { RETENTION_MS } from '../../audit/log.js'
import { collections } from '../collections.js'
import type { PermissionDoc, RoleDoc } from '../documents.js'
import { ADMIN_ROLE, ADMIN_ROLE_DESCRIPTION, permissionDocuments } from '../permissions.js'
import { schemas } from '../schemas.js'
import { convertOriginal } from './original.js'

/**
 * One step. It may have been interrupted anywhere and is then run again from its beginning, so it does what is missing and
 * leaves what is there.
 */
export interface Migration {
  readonly version: number
  readonly name: string
  run(db: Db): Promise<void>
}

/** Who made what no user has made. */
export const SYSTEM_ID = new ObjectId('000000000000000000000000')

const NAMESPACE_EXISTS = 48

/** In the order they are run in; one that has been published is never changed, another is added. */
export const migrations: readonly Migration[] = [
  { version: 1, name: 'documents of the original', run: convertOriginal },
  { version: 2, name: 'collections', run: makeCollections },
  { version: 3, name: 'indexes', run: makeIndexes },
  { version: 4, name: 'permissions and the role admin', run: seedPermissions },
  { version: 5, name: 'entries of the audit log end', run: endAuditEntries },
  { version: 6, name: 'schedulers, their sets and who reconciles', run: makeCollections },
  { version: 7, name: 'sessions that were ended', run: makeCollections },
]

async function makeCollections(db: Db): Promise<void> {
  for (const [name, { schema }] of Object.entries(schemas)) {
    const rules = { validator: { $jsonSchema: schema }, validationLevel: 'strict', validationAction: 'error' }
    try {
      await db.createCollection(name, rules)
    } catch (error) {
      if (!(error instanceof MongoServerError) || error.code !== NAMESPACE_EXISTS) throw error
      await db.command({ collMod: name, ...rules })
    }
  }
}

async function makeIndexes(db: Db): Promise<void> {
  for (const [name, { indexes }] of Object.entries(schemas))
    for (const { key, options } of indexes) await db.collection(name).createIndex(key, options)
}

/** Entries that were made before entries had an end have it as if they were made today. */
async function endAuditEntries(db: Db): Promise<void> {
  await makeCollections(db)
  await db
    .collection(collections.audit)
    .updateMany({ expiresAt: { $exists: false } }, { $set: { expiresAt: new Date(Date.now() + RETENTION_MS) } })
  await makeIndexes(db)
}

async function seedPermissions(db: Db): Promise<void> {
  const permissions = db.collection<PermissionDoc>(collections.permissions)
  for (const { key, ...rest } of permissionDocuments)
    await permissions.updateOne({ key }, { $set: rest }, { upsert: true })
  const now = Long.fromNumber(Date.now())
  const policies = permissionDocuments.map(({ key }) => ({
    permissionKey: key,
    self: false,
    k8sNamespace: '',
    policyNamespace: '',
  }))
  await db.collection<RoleDoc>(collections.roles).updateOne(
    { name: ADMIN_ROLE },
    {
      $set: { policies, builtIn: true, updatedTime: now, updaterID: SYSTEM_ID },
      $setOnInsert: { description: ADMIN_ROLE_DESCRIPTION, createdTime: now, creatorID: SYSTEM_ID },
      $inc: { version: new Int32(1) },
    },
    { upsert: true },
  )
}
