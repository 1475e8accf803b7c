import fc from 'fast-check'
import type { PolicyDoc } from '../store/documents.js'

/*
 * What random users try, for the test that holds the service against a model of its rules. Users, roles and tokens are numbers: which one is
 * meant is seen when it is its turn.
 */

export const NAMESPACES = ['shop', 'team'] as const

// Those by which rights are handed on come twice as often.
const keys = [
  'user.create',
  'user.read',
  'user.password.reset',
  'user.password.reset',
  'user.permission.update',
  'user.permission.update',
  'role.create',
  'role.create',
  'role.update',
  'role.read',
  'role.update',
  'role.delete',
]

/** Plain objects, as JSON has them. */
const record = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true })

const policy: fc.Arbitrary<PolicyDoc> = record({
  permissionKey: fc.constantFrom(...keys),
  self: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  k8sNamespace: fc.oneof(
    { weight: 3, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: fc.constantFrom(...NAMESPACES) },
  ),
  policyNamespace: fc.oneof({ weight: 5, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constant('team') }),
})
/** Of roles that there are at first: rich, so that their holders get somewhere. Of what is asked for later: a policy too many shows. */
const rich = fc.array(policy, { minLength: 5, maxLength: 10 })
const few = fc.array(policy, { minLength: 1, maxLength: 2 })
const index = fc.nat(7)
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const password = fc.constantFrom('password-1', 'password-2')

const act = fc.oneof(
  record({ does: fc.constant('login' as const), whom: index, password }),
  record({ does: fc.constant('createUser' as const), name: fc.constantFrom('new-0', 'new-1', 'user-0') }),
  record({ does: fc.constant('changePassword' as const), old: password, password }),
  record({ does: fc.constant('resetPassword' as const), whom: index, password }),
  record({
    does: fc.constant('setPermissions' as const),
    whom: index,
    roles: maybe(fc.array(index, { maxLength: 3 })),
    status: maybe(fc.constantFrom(1, 1, 2, 3)),
  }),
  record({
    does: fc.constant('createRole' as const),
    name: fc.constantFrom('new-0', 'new-1', 'role-0'),
    policies: few,
  }),
  record({
    does: fc.constant('updateRole' as const),
    role: index,
    name: maybe(fc.constantFrom('new-2', 'role-1', 'admin')),
    policies: maybe(few),
  }),
  record({ does: fc.constant('deleteRole' as const), role: index }),
  record({ does: fc.constant('look' as const), at: fc.constantFrom('users', 'roles', 'users/self') }),
)
/** `caller` is who acts, `token` which of those he has: mostly his last. */
const step = record({ caller: index, token: fc.constantFrom(-1, -1, -1, -2, 0), act })
/** Roles and users that there are at first, and what they then try. */
export const scene = record({
  roles: fc.array(rich, { minLength: 3, maxLength: 5 }),
  users: fc.array(
    record({ roles: fc.array(index, { minLength: 1, maxLength: 3 }), status: fc.constantFrom(1, 1, 1, 1, 2, 3) }),
    {
      minLength: 2,
      maxLength: 4,
    },
  ),
  steps: fc.array(step, { minLength: 40, maxLength: 60 }),
})
export type Scene = typeof scene extends fc.Arbitrary<infer S> ? S : never
