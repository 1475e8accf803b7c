import type { CreateIndexesOptions, Document, IndexSpecification } from 'mongodb'
import { collections } from './collections.js'
import { intentState, userStatus } from './documents.js'

export interface CollectionSchema {
  /** A `$jsonSchema` (MongoDB, "Specify JSON Schema Validation"): what is not of it is refused with code 121. */
  readonly schema: Document
  readonly indexes: readonly {
    readonly key: IndexSpecification
    readonly options: CreateIndexesOptions & { name: string }
  }[]
}

const objectId = { bsonType: 'objectId' }
const string = { bsonType: 'string' }
const name = { bsonType: 'string', minLength: 1 }
const int = { bsonType: 'int' }
const long = { bsonType: 'long' }
const number = { bsonType: 'number' }
const boolean = { bsonType: 'bool' }
const list = (items: Document): Document => ({ bsonType: 'array', items })
const object = (properties: Document, optional: readonly string[] = []): Document => ({
  bsonType: 'object',
  required: Object.keys(properties).filter((key) => !optional.includes(key)),
  additionalProperties: false,
  properties,
})

const common = {
  _id: objectId,
  createdTime: long,
  updatedTime: long,
  creatorID: objectId,
  updaterID: objectId,
  version: { ...int, minimum: 1 },
}

/** A day: by then, whoever did not get an answer has asked again, or has given up. */
export const IDEMPOTENCY_SECONDS = 24 * 60 * 60

/** What the collections hold, and what they are looked up by. The types are in documents.ts. */
export const schemas: Readonly<Record<(typeof collections)[keyof typeof collections], CollectionSchema>> = {
  [collections.users]: {
    schema: object(
      {
        ...common,
        username: name,
        password: name,
        status: { ...int, enum: Object.values(userStatus) },
        roleIds: list(objectId),
        tokenVersion: int,
        endedSessions: list(object({ id: name, until: { bsonType: 'date' } })),
      },
      ['endedSessions'],
    ),
    indexes: [
      { key: { username: 1 }, options: { name: 'idx_users_username_unique', unique: true } },
      { key: { roleIds: 1 }, options: { name: 'idx_users_roleIds' } },
    ],
  },
  [collections.roles]: {
    schema: object(
      {
        ...common,
        name,
        description: string,
        policies: list(object({ permissionKey: name, self: boolean, k8sNamespace: string, policyNamespace: string })),
        builtIn: boolean,
        membersTime: long,
      },
      ['builtIn', 'membersTime'],
    ),
    indexes: [{ key: { name: 1 }, options: { name: 'idx_roles_name_unique', unique: true } }],
  },
  [collections.permissions]: {
    schema: object({ _id: objectId, key: name, description: string, resource: name, action: name }),
    indexes: [{ key: { key: 1 }, options: { name: 'idx_permissions_key_unique', unique: true } }],
  },
  [collections.strategies]: {
    schema: object(
      {
        ...common,
        strategyNamespace: string,
        labelSelectors: list(object({ key: string, value: string })),
        k8sNamespace: list(string),
        commandRegex: string,
        priority: int,
        executionTime: long,
        reconciled: object({ term: long, count: int }),
      },
      ['reconciled'],
    ),
    indexes: [{ key: { creatorID: 1, _id: 1 }, options: { name: 'idx_schedule_strategies_creatorID' } }],
  },
  [collections.intents]: {
    schema: object({
      ...common,
      strategyID: objectId,
      strategyNamespace: string,
      podID: name,
      podName: string,
      nodeID: string,
      k8sNamespace: string,
      commandRegex: string,
      priority: int,
      executionTime: long,
      podLabels: { bsonType: 'object', additionalProperties: string },
      state: { ...int, enum: Object.values(intentState) },
    }),
    indexes: [
      // Also for all of a strategy's: its first field.
      {
        key: { strategyID: 1, podID: 1 },
        options: { name: 'idx_schedule_intents_strategyID_podID_unique', unique: true },
      },
      { key: { nodeID: 1 }, options: { name: 'idx_schedule_intents_nodeID' } },
      { key: { creatorID: 1, _id: 1 }, options: { name: 'idx_schedule_intents_creatorID' } },
    ],
  },
  [collections.audit]: {
    schema: object(
      {
        _id: objectId,
        timestamp: long,
        userID: objectId,
        username: string,
        action: name,
        target: string,
        outcome: { enum: ['ok', 'refused', 'failed'] },
        code: string,
        requestID: string,
        ip: string,
        unnoted: { ...int, minimum: 1 },
        expiresAt: { bsonType: 'date' },
      },
      ['userID', 'username', 'target', 'code', 'unnoted'],
    ),
    indexes: [
      { key: { timestamp: 1, _id: 1 }, options: { name: 'idx_audit_logs_timestamp' } },
      { key: { userID: 1, timestamp: 1, _id: 1 }, options: { name: 'idx_audit_logs_userID' } },
      { key: { expiresAt: 1 }, options: { name: 'idx_audit_logs_ttl', expireAfterSeconds: 0 } },
    ],
  },
  [collections.idempotency]: {
    schema: object(
      {
        _id: objectId,
        userID: objectId,
        key: name,
        request: name,
        status: int,
        answer: {},
        createdAt: { bsonType: 'date' },
      },
      ['answer'],
    ),
    indexes: [
      { key: { userID: 1, key: 1 }, options: { name: 'idx_idempotency_keys_userID_key_unique', unique: true } },
      { key: { createdAt: 1 }, options: { name: 'idx_idempotency_keys_ttl', expireAfterSeconds: IDEMPOTENCY_SECONDS } },
    ],
  },
  [collections.schedulers]: {
    schema: object(
      {
        _id: name,
        podName: name,
        startedTime: long,
        lastSeen: long,
        setVersion: long,
        rootHash: name,
        intents: int,
        metrics: { bsonType: 'object', additionalProperties: number },
      },
      ['metrics'],
    ),
    indexes: [],
  },
  [collections.setVersions]: { schema: object({ _id: name, version: long }), indexes: [] },
  [collections.leases]: { schema: object({ _id: name, owner: string, term: long, beat: long }), indexes: [] },
}
