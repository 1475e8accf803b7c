import { type Db, type Document, Int32, Long, ObjectId } from 'mongodb'
import { collections } from '../collections.js'
import { userStatus } from '../documents.js'

/*
 * Databases of the original manager hold several spellings of one name (`created_time`, `policeNamespace`, `updateTime`),
 * users that name their roles instead of pointing at them, and nothing where a value was zero. They are put into the one
 * form of documents.ts before the schemas are in force. A document that has a `version` is of this form already.
 */

/** Puts what an original manager has stored into this one's form. */
export async function convertOriginal(db: Db): Promise<void> {
  await withoutSchemas(db)
  await eachOf(db, collections.roles, (role) => ({
    ...commonOf(role),
    name: role.name,
    description: role.description ?? '',
    policies: (role.policies ?? []).map((policy: Document) => ({
      permissionKey: policy.permissionKey,
      self: policy.self ?? false,
      k8sNamespace: policy.k8sNamespace ?? '',
      policyNamespace: policy.policyNamespace ?? policy.policeNamespace ?? '',
    })),
  }))
  const ids = new Map<unknown, ObjectId>()
  for await (const { name, _id } of db.collection(collections.roles).find()) ids.set(name, _id)
  await eachOf(db, collections.users, (user) => ({
    ...commonOf(user),
    username: user.username,
    password: user.password,
    // Who was deleted there is told apart by a time alone.
    status: new Int32(user.deletedTime ? userStatus.inactive : Number(user.status)),
    // Of names that no role has, the original granted nothing.
    roleIds: [...new Set((user.roles ?? []) as unknown[])].flatMap((name) => ids.get(name) ?? []),
    tokenVersion: new Int32(1),
  }))
  await eachOf(db, collections.permissions, ({ _id, key, description = '', resource, action }) => ({
    _id,
    key,
    description,
    resource,
    action,
  }))
  await eachOf(db, collections.strategies, (strategy) => ({
    ...commonOf(strategy),
    strategyNamespace: strategy.strategyNamespace ?? '',
    labelSelectors: (strategy.labelSelectors ?? []).map(({ key = '', value = '' }: Document) => ({ key, value })),
    k8sNamespace: strategy.k8sNamespace ?? [],
    ...scheduleOf(strategy),
  }))
  const namespaces = new Map<string, string>()
  for await (const { _id, strategyNamespace = '' } of db.collection(collections.strategies).find())
    namespaces.set(String(_id), strategyNamespace)
  await eachOf(db, collections.intents, (intent) => ({
    ...commonOf(intent),
    strategyID: intent.strategyID,
    strategyNamespace: namespaces.get(String(intent.strategyID)) ?? '',
    podID: intent.podID,
    podName: intent.podName ?? '',
    nodeID: intent.nodeID ?? '',
    k8sNamespace: intent.k8sNamespace ?? '',
    ...scheduleOf(intent),
    podLabels: intent.podLabels ?? {},
    state: new Int32(Number(intent.state ?? 0)),
  }))
}

/** The original's own schemas ask for less, but not for the same; the next migration puts others in their place. */
async function withoutSchemas(db: Db): Promise<void> {
  const ours: ReadonlySet<string> = new Set(Object.values(collections))
  for (const { name } of await db.listCollections({}, { nameOnly: true }).toArray())
    if (ours.has(name)) await db.command({ collMod: name, validationLevel: 'off' })
}

async function eachOf(db: Db, name: string, convert: (document: Document) => Document): Promise<void> {
  const collection = db.collection(name)
  // Ours have no times in permissions, and a version in everything else.
  const theirs =
    name === collections.permissions
      ? { $or: [{ createdTime: { $exists: true } }, { created_time: { $exists: true } }] }
      : { version: { $exists: false } }
  // The original's own schema, still in force, asks for less, but not for the same.
  for await (const document of collection.find(theirs))
    await collection.replaceOne({ _id: document._id }, convert(document))
}

const nobody = new ObjectId('000000000000000000000000')

const commonOf = (document: Document): Document => ({
  _id: document._id,
  createdTime: large(document.createdTime ?? document.created_time),
  updatedTime: large(document.updatedTime ?? document.updateTime ?? document.updated_time),
  creatorID: document.creatorID ?? nobody,
  updaterID: document.updaterID ?? nobody,
  version: new Int32(1),
})

const scheduleOf = (document: Document): Document => ({
  commandRegex: document.commandRegex ?? '',
  priority: new Int32(Number(document.priority ?? 0)),
  executionTime: large(document.executionTime),
})

/** Times were long there, except in what its migrations made. */
const large = (value: unknown): Long => Long.fromNumber(value instanceof Date ? value.getTime() : Number(value ?? 0))
