import { merkleRoot } from '@bulkhead/intents'
import type { InputOf, Operation } from './model/index.js'
import type { Intent, Role, Strategy, User } from './model/things.js'
import type { Match, World } from './model/world.js'
import type { Asked } from './quick-service.js'

export type Thing = User | Role | Strategy | Intent

/** The ids that the service has given to what is in the model. */
export interface Ids {
  of(thing: Thing): string
}

/** The root over what the model says that a scheduler has. */
export const rootOf = (intents: readonly Intent[]): string =>
  merkleRoot(
    intents.map(({ plan, pod }) => ({
      podName: pod.name,
      podID: `uid-of-${pod.name}`,
      nodeID: pod.node,
      k8sNamespace: pod.namespace,
      commandRegex: plan.commandRegex,
      priority: plan.priority,
      executionTime: plan.executionTime,
      podLabels: pod.labels,
    })),
  )

/** Of nothing that there is. */
const UNKNOWN = '0123456789abcdef01234567'

type Request = Pick<Asked, 'method' | 'path' | 'headers'> & { readonly body?: object }
type Builders = { readonly [O in Operation]: (input: InputOf<O>, world: World, ids: Ids) => Request }

const api = (path: string): string => `/api/v1/${path}`

function idAt(list: readonly Thing[], number: number, world: World, ids: Ids): string {
  const thing = world.at(list, number)
  return thing === undefined ? UNKNOWN : ids.of(thing)
}

/** As the model means it: the version that there is now, or one that there is not. */
function matching(match: Match, thing: { readonly version: number } | undefined): Record<string, string> {
  if (match === 'none') return {}
  const version = (thing?.version ?? 1) + (match === 'other' ? 7 : 0)
  return { 'if-match': `"${version}"` }
}

const get = (path: string) => (): Request => ({ method: 'GET', path: api(path) })

const roleName = (number: number, world: World): string => {
  const role = world.at(world.roles, number)
  return role === undefined || role.gone ? 'no such role' : role.name
}

/** How each operation is called over HTTP, before the model has done it. */
export const builders: Builders = {
  login: ({ whom, password }, world) => ({
    method: 'POST',
    path: api('auth/login'),
    body: { username: world.at(world.users, whom)?.name ?? 'nobody', password },
  }),
  getSelf: get('users/self'),
  changeOwnPassword: ({ old, wanted }) => ({
    method: 'PUT',
    path: api('users/self/password'),
    body: { oldPassword: old, newPassword: wanted },
  }),
  createUser: ({ name, password }) => ({ method: 'POST', path: api('users'), body: { username: name, password } }),
  listUsers: get('users?limit=200'),
  resetPassword: ({ whom, wanted, match }, world, ids) => ({
    method: 'PUT',
    path: api('users/password'),
    headers: matching(match, world.at(world.users, whom)),
    body: { userID: idAt(world.users, whom, world, ids), newPassword: wanted },
  }),
  setUserPermissions: ({ whom, roles, status, match }, world, ids) => ({
    method: 'PUT',
    path: api('users/permissions'),
    headers: matching(match, world.at(world.users, whom)),
    body: {
      userID: idAt(world.users, whom, world, ids),
      roles: roles?.map((number) => roleName(number, world)),
      status,
    },
  }),
  createRole: ({ name, policies }) => ({ method: 'POST', path: api('roles'), body: { name, rolePolicies: policies } }),
  updateRole: ({ role, name, description, policies, match }, world, ids) => ({
    method: 'PUT',
    path: api('roles'),
    headers: matching(match, world.at(world.roles, role)),
    body: { id: idAt(world.roles, role, world, ids), name, description, rolePolicy: policies },
  }),
  deleteRole: ({ role, match }, world, ids) => ({
    method: 'DELETE',
    path: api(`roles/${idAt(world.roles, role, world, ids)}`),
    headers: matching(match, world.at(world.roles, role)),
  }),
  deleteRoleByBody: ({ role, match }, world, ids) => ({
    method: 'DELETE',
    path: api('roles'),
    headers: matching(match, world.at(world.roles, role)),
    body: { id: idAt(world.roles, role, world, ids) },
  }),
  listRoles: get('roles?limit=200'),
  listPermissions: get('permissions'),
  createStrategy: ({ plan, key }) => ({
    method: 'POST',
    path: api('strategies'),
    headers: key === undefined ? {} : { 'idempotency-key': key },
    body: plan,
  }),
  updateStrategy: ({ strategy, plan, match }, world, ids) => ({
    method: 'PUT',
    path: api('strategies'),
    headers: matching(match, world.at(world.strategies, strategy)),
    body: { strategyId: idAt(world.strategies, strategy, world, ids), ...plan },
  }),
  deleteStrategy: ({ strategy, match }, world, ids) => ({
    method: 'DELETE',
    path: api(`strategies/${idAt(world.strategies, strategy, world, ids)}`),
    headers: matching(match, world.at(world.strategies, strategy)),
  }),
  deleteStrategyByBody: ({ strategy, match }, world, ids) => ({
    method: 'DELETE',
    path: api('strategies'),
    headers: matching(match, world.at(world.strategies, strategy)),
    body: { strategyId: idAt(world.strategies, strategy, world, ids) },
  }),
  getStrategy: ({ strategy }, world, ids) => ({
    method: 'GET',
    path: api(`strategies/${idAt(world.strategies, strategy, world, ids)}`),
  }),
  listStrategies: get('strategies/self?limit=200'),
  listIntents: get('intents/self?limit=200'),
  deleteIntent: ({ intents: [intent = -1] }, world, ids) => ({
    method: 'DELETE',
    path: api(`intents/${idAt(world.intents, intent, world, ids)}`),
  }),
  deleteIntents: ({ intents }, world, ids) => ({
    method: 'DELETE',
    path: api('intents'),
    body: { intentIds: intents.map((number) => idAt(world.intents, number, world, ids)) },
  }),
  listNodes: get('nodes'),
  listNodeProcesses: ({ node }) => ({ method: 'GET', path: api(`nodes/${node}/pods/pids`) }),
  reportScheduler: ({ node, pod, root }, world) => {
    const due = root === 'right' ? world.dueAt(node) : []
    return {
      method: 'PUT',
      path: api(`schedulers/${node}`),
      body: {
        podName: world.at(world.everyPod, pod)?.name,
        startedAt: '2026-01-01T00:00:00Z',
        setVersion: 1,
        rootHash: root === 'right' ? rootOf(due) : '0'.repeat(64),
        intents: due.length,
      },
    }
  },
  listSchedulers: get('schedulers?limit=200'),
  listAudit: get('audit?limit=200'),
}
