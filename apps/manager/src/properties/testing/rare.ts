import type { Call, Event, Scene } from './scenes.js'

/* A scene by hand, of what chance comes to too rarely: it is played in every run. */

const FIRST = 0
const FORCED = 1
const SELF_ONLY = 2
const LESSER = 3

const call = <C extends Call>(
  caller: number,
  operation: C['operation'],
  input: C['input'],
  shows: Call['shows'] = 'last',
): Call => ({ caller, operation, input, shows }) as Call

const plan = {
  strategyNamespace: '',
  labelSelectors: [{ key: 'app', value: 'web' }],
  k8sNamespace: [],
  commandRegex: '',
  priority: 5,
  executionTime: 20_000_000,
}
const schedulerOf = (node: string): Event => ({ event: 'scheduler', node })

export const rare: Scene = {
  roles: [
    ['user.password.reset', 'user.permission.update'].map((permissionKey) => ({
      permissionKey,
      self: true,
      k8sNamespace: '',
      policyNamespace: '',
    })),
    ['user.password.reset', 'user.permission.update', 'role.update'].map((permissionKey) => ({
      permissionKey,
      self: false,
      k8sNamespace: '',
      policyNamespace: '',
    })),
    [{ permissionKey: 'user.read', self: false, k8sNamespace: '', policyNamespace: '' }],
  ],
  users: [
    { roles: [0], status: 3 },
    { roles: [1], status: 1 },
    { roles: [2], status: 1 },
  ],
  steps: [
    // Freed by somebody else from having to change his password: his token still says that he has to (M2).
    call(FORCED, 'getSelf', {}),
    call(FIRST, 'setUserPermissions', { whom: FORCED, status: 1, match: 'current' }),
    call(FORCED, 'listUsers', {}),
    call(FORCED, 'getSelf', {}),
    call(FORCED, 'listUsers', {}, 'fresh'),
    // And one who has to since, with a token that does not say so.
    call(FIRST, 'setUserPermissions', { whom: FORCED, status: 3, match: 'none' }),
    call(FORCED, 'listUsers', {}),
    // Only himself; and nobody takes the last admin away (M7).
    call(SELF_ONLY, 'resetPassword', { whom: FIRST, wanted: 'password-2', match: 'none' }),
    call(SELF_ONLY, 'setUserPermissions', { whom: FORCED, status: 1, match: 'none' }),
    call(SELF_ONLY, 'setUserPermissions', { whom: SELF_ONLY, roles: [0], match: 'none' }),
    call(FIRST, 'setUserPermissions', { whom: FORCED, roles: [], status: 1, match: 'none' }),
    call(FIRST, 'setUserPermissions', { whom: FIRST, roles: [], match: 'none' }),
    call(FIRST, 'setUserPermissions', { whom: FIRST, status: 2, match: 'none' }),
    // Who has less takes nothing from who has more, to become him afterwards; roles neither (M11).
    call(LESSER, 'setUserPermissions', { whom: FIRST, roles: [], match: 'none' }),
    call(LESSER, 'setUserPermissions', { whom: FIRST, status: 2, match: 'none' }),
    call(LESSER, 'resetPassword', { whom: FIRST, wanted: 'password-2', match: 'none' }),
    call(LESSER, 'updateRole', { role: 3, policies: [], match: 'none' }),
    call(LESSER, 'updateRole', { role: 3, name: 'new-2', match: 'none' }),
    call(LESSER, 'updateRole', { role: 3, description: 'of somebody', match: 'none' }),
    call(LESSER, 'setUserPermissions', { whom: SELF_ONLY, status: 1, match: 'none' }),
    // The same request twice, and another one with its key (M13); its node's scheduler comes late (M15).
    schedulerOf('node-1'),
    call(FIRST, 'createStrategy', { plan, key: 'key-1' }),
    call(FIRST, 'listNodeProcesses', { node: 'node-1' }),
    schedulerOf('node-1'),
    call(FIRST, 'createStrategy', { plan, key: 'key-1' }),
    call(FIRST, 'createStrategy', { plan: { ...plan, priority: 0 }, key: 'key-1' }),
    call(FIRST, 'updateStrategy', { strategy: 0, plan: { ...plan, commandRegex: 'ngi' }, match: 'current' }),
    call(FIRST, 'createStrategy', { plan, key: 'key-1' }),
    call(FIRST, 'deleteIntents', { intents: [0, 1] }),
    call(FIRST, 'getStrategy', { strategy: 0 }),
    call(FIRST, 'deleteStrategyByBody', { strategy: 0, match: 'current' }),
    call(FIRST, 'createStrategy', { plan, key: 'key-1' }),
    call(FIRST, 'createStrategy', { plan }),
    call(FIRST, 'deleteStrategy', { strategy: 0, match: 'none' }),
    call(FIRST, 'deleteIntent', { intents: [0] }),
    // Schedulers, and who is none.
    call(FIRST, 'createStrategy', { plan }),
    call(FIRST, 'reportScheduler', { node: 'node-1', pod: 5, root: 'other' }, 'scheduler'),
    call(FIRST, 'reportScheduler', { node: 'node-1', pod: 5, root: 'right' }, 'scheduler'),
    call(FIRST, 'listSchedulers', {}),
    call(FIRST, 'reportScheduler', { node: 'node-1', pod: 5, root: 'right' }, 'other scheduler'),
    call(FIRST, 'reportScheduler', { node: 'node-1', pod: 5, root: 'right' }, 'last'),
    call(FIRST, 'reportScheduler', { node: 'node-3', pod: 7, root: 'right' }, 'scheduler'),
    call(FIRST, 'reportScheduler', { node: 'node-4', pod: 5, root: 'right' }, 'scheduler'),
    call(FIRST, 'listUsers', {}, 'scheduler'),
    call(FIRST, 'deleteStrategy', { strategy: 0, match: 'none' }),
    call(FIRST, 'listSchedulers', {}),
    // A login with nothing, and tokens of nobody.
    call(FIRST, 'login', { whom: FIRST, password: '' }),
    call(FIRST, 'getSelf', {}, 'of nobody'),
    call(FIRST, 'listRoles', {}, 'of nobody'),
    call(FIRST, 'deleteRoleByBody', { role: 1, match: 'none' }),
    call(FIRST, 'setUserPermissions', { whom: SELF_ONLY, roles: [], match: 'none' }),
    call(FIRST, 'deleteRoleByBody', { role: 1, match: 'current' }),
    call(FIRST, 'deleteRole', { role: 1, match: 'none' }),
  ],
}
