import type { Operation } from './model/index.js'
import type { Listed } from './model/schedulers.js'
import type { Entry, Intent } from './model/things.js'
import { type Ids, rootOf, type Thing } from './requests.js'

/* Both sides' data brought to one form: ids are compared where the model knows the thing, times are not. */

type Fields = Readonly<Record<string, unknown>>

const listed = (data: unknown, name: string): readonly Fields[] =>
  (data as Readonly<Record<string, Fields[]>>)[name] ?? []

const without = (fields: Fields, ...names: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))

const times = ['createdTime', 'updatedTime'] as const

/** What the service has answered. */
const answered: { readonly [O in Operation]?: (data: unknown) => unknown } = {
  listUsers: (data) => listed(data, 'users'),
  listRoles: (data) => listed(data, 'roles'),
  listPermissions: (data) => listed(data, 'permissions').map(({ key }) => key),
  getStrategy: (data) => without(data as Fields, ...times),
  listStrategies: (data) => listed(data, 'strategies').map((one) => without(one, ...times)),
  listIntents: (data) => listed(data, 'intents').map((one) => without(one, 'podId')),
  listNodes: (data) => listed(data, 'nodes'),
  listNodeProcesses: (data) => listed(data, 'pods').map(({ podUid }) => String(podUid).replace('uid-of-', '')),
  listSchedulers: (data) =>
    listed(data, 'schedulers').map((one) => without(one, 'lastSeen', 'startedAt', 'setVersion', 'metrics')),
  listAudit: (data) =>
    listed(data, 'entries').map(({ username, action, outcome, code }) => [username, action, outcome, code]),
}

/** What the model calls a thing, and what the API calls its id. */
const names: readonly (readonly [string, string])[] = [
  ['user', 'id'],
  ['role', 'id'],
  ['intent', 'id'],
  ['strategy', 'strategyId'],
]

function withIds(data: unknown, ids: Ids, strategy = 'strategyId'): Fields {
  const rest: Record<string, unknown> = { ...(data as Fields) }
  for (const [thing, name] of names) {
    if (!(thing in rest)) continue
    rest[thing === 'strategy' ? strategy : name] = ids.of(rest[thing] as Thing)
    delete rest[thing]
  }
  return rest
}

const each = (data: unknown, ids: Ids, strategy?: string): Fields[] =>
  (data as unknown[]).map((one) => withIds(one, ids, strategy))

/** What the model says that it is to be. */
const expected: { readonly [O in Operation]?: (data: unknown, ids: Ids) => unknown } = {
  getSelf: withIds,
  listUsers: (data, ids) => each(data, ids),
  // The first role was made by the migrations: within one second, two processes' ids are in no order.
  listRoles: (data, ids) => each(data, ids).sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1)),
  createStrategy: (data, ids) => withIds(data, ids, 'id'),
  updateStrategy: (data, ids) => withIds(data, ids, 'id'),
  getStrategy: (data, ids) => withIds(data, ids, 'id'),
  listStrategies: (data, ids) => each(data, ids, 'id'),
  listIntents: (data, ids) => each(data, ids),
  reportScheduler: (data) => {
    const { due, inSync } = data as { due: readonly Intent[]; inSync: boolean }
    return { rootHash: rootOf(due), inSync }
  },
  listSchedulers: (data) =>
    (data as Listed[]).map(({ node, podName, has, due }) => {
      const rootHash = has === undefined ? '0'.repeat(64) : rootOf(has)
      const intents = has?.length ?? 0
      const expectedRoot = rootOf(due)
      const inSync = rootHash === expectedRoot && intents === due.length
      return { node, podName, stale: false, intents, rootHash, expectedRoot, inSync }
    }),
  listAudit: (data) =>
    (data as Entry[]).slice(0, 200).map(({ username, action, outcome, code }) => [username, action, outcome, code]),
}

export const answeredData = (operation: Operation, data: unknown): unknown =>
  data === undefined ? undefined : (answered[operation]?.(data) ?? data)
export const expectedData = (operation: Operation, data: unknown, ids: Ids): unknown =>
  data === undefined ? undefined : (expected[operation]?.(data, ids) ?? data)
