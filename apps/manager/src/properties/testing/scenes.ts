import fc from 'fast-check'
import { RIGHT } from './aim.js'
import { type InputOf, type Operation, rules } from './model/index.js'
import { knownExpressions } from './model/plans.js'
import { meant, permissionKeys } from './model/roles.js'
import { ACCOUNT, NAMESPACE } from './model/schedulers.js'
import type { Plan, Pod, Policy } from './model/things.js'

/*
 * What random users try. Users, roles, strategies and intents are numbers: which one is meant is seen when it is its turn; -1 is one that
 * there never was.
 */

export const NAMESPACES = ['shop', 'batch', 'team', NAMESPACE] as const

const pod = (name: string, namespace: string, node: string, command: string): Pod => ({
  name,
  namespace,
  node,
  command,
  labels: { app: name.replace(/-\d+$/, ''), tier: namespace },
})

export const PODS: readonly Pod[] = [
  pod('web-1', 'shop', 'node-1', 'nginx -g daemon'),
  pod('web-2', 'shop', 'node-2', 'nginx -g daemon'),
  pod('api-1', 'shop', 'node-1', 'api --port 80'),
  pod('web-3', 'team', 'node-2', ''),
  pod('job-1', 'batch', '', 'engine'),
  { ...pod('decisionmaker-1', NAMESPACE, 'node-1', 'sched'), account: ACCOUNT },
  { ...pod('decisionmaker-2', NAMESPACE, 'node-2', 'sched'), account: ACCOUNT },
  // Called like one, and labelled like one.
  pod('decisionmaker-3', NAMESPACE, 'node-3', 'sched'),
]
export const NODES = new Map([
  ['node-2', 'NotReady'],
  ['node-1', 'Ready'],
  ['node-3', 'Unknown'],
] as const)

/** Plain objects, as JSON has them. */
const record = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true })
/** Any one of these, each as often as its number says. */
const often = <T>(...those: readonly (readonly [number, T])[]): fc.Arbitrary<T> =>
  fc.oneof(...those.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })))
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined })

const scheduling = permissionKeys.filter((each) => each.startsWith('schedule_'))
// Those by which rights are handed on come more often.
const key = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...permissionKeys) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('user.password.reset', 'user.permission.update', 'role.create', 'role.update'),
  },
  { weight: 2, arbitrary: fc.constantFrom(...scheduling) },
)
const policy: fc.Arbitrary<Policy> = record({
  permissionKey: key,
  self: often([3, false], [1, true]),
  k8sNamespace: often([2, ''], [1, 'shop'], [1, 'team']),
  policyNamespace: often([2, ''], [1, 'team']),
})
/** Of roles that there are at first: rich, so that their holders get somewhere. */
const rich = fc
  .tuple(fc.array(policy, { minLength: 4, maxLength: 10 }), policy, fc.boolean())
  .map(([some, like, plans]) => [
    ...some,
    // Whoever is to plan needs several at once.
    ...(plans ? scheduling.map((permissionKey) => ({ ...like, permissionKey })) : []),
  ])
  .map((policies) => policies.map(meant))
const asked = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: policy.map(meant) },
    { weight: 2, arbitrary: policy },
    { weight: 1, arbitrary: policy.map((each) => ({ ...each, permissionKey: 'no.such' })) },
  ),
  { minLength: 1, maxLength: 2 },
)

const index = fc.oneof({ weight: 12, arbitrary: fc.nat(7) }, { weight: 1, arbitrary: fc.constant(-1) })
// The last two are the same, typed on different keyboards.
const password = often([6, 'password-1'], [3, 'password-2'], [1, 'p\u00e4ssword'], [1, 'pa\u0308ssword'])
const anyPassword = fc.oneof({ weight: 7, arbitrary: password }, { weight: 1, arbitrary: fc.constantFrom('', 'short') })
const hisPassword = fc.oneof({ weight: 1, arbitrary: fc.constant(RIGHT) }, { weight: 1, arbitrary: anyPassword })
const match = often<'none' | 'current' | 'other'>([5, 'none'], [3, 'current'], [1, 'other'])

const plan: fc.Arbitrary<Plan> = record({
  strategyNamespace: often([2, ''], [1, 'team']),
  labelSelectors: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('web', 'api', 'job', '').map((value) => [{ key: 'app', value }]) },
    { weight: 1, arbitrary: fc.constantFrom([], [{ key: 'app', value: 'nobody' }]) },
  ),
  k8sNamespace: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.subarray([...NAMESPACES])),
  commandRegex: fc.oneof({ weight: 6, arbitrary: fc.constant('') }, fc.constantFrom(...knownExpressions)),
  priority: often([12, 5], [1, 0], [1, 21]),
  executionTime: often([12, 20_000_000], [1, 1_000_000], [1, 999_999]),
})

const nothing = fc.constant({})
const aRole = record({ role: index, match })
const aStrategy = record({ strategy: index, match })

/** What each operation may be called with, and how often it is. */
const inputs: { readonly [O in Operation]: readonly [weight: number, fc.Arbitrary<InputOf<O>>] } = {
  login: [4, record({ whom: index, password: hisPassword })],
  getSelf: [1, nothing],
  changeOwnPassword: [5, record({ old: hisPassword, wanted: anyPassword })],
  createUser: [
    2,
    record({ name: often([4, 'new-0'], [4, 'new-1'], [2, 'user-0'], [1, ' new']), password: anyPassword }),
  ],
  listUsers: [1, nothing],
  resetPassword: [4, record({ whom: index, wanted: anyPassword, match })],
  setUserPermissions: [
    7,
    record({
      whom: index,
      roles: maybe(fc.array(index, { maxLength: 3 })),
      status: maybe(often([6, 1], [2, 2], [2, 3], [1, 0])),
      match,
    }) as fc.Arbitrary<InputOf<'setUserPermissions'>>,
  ],
  createRole: [3, record({ name: often([3, 'new-0'], [3, 'new-1'], [1, 'role-0'], [1, '']), policies: asked })],
  updateRole: [
    5,
    record({
      role: index,
      name: maybe(often([2, 'new-2'], [1, 'role-1'], [1, 'admin'])),
      description: maybe(fc.constantFrom('', 'of somebody')),
      policies: maybe(asked),
      match,
    }) as fc.Arbitrary<InputOf<'updateRole'>>,
  ],
  deleteRole: [3, aRole],
  deleteRoleByBody: [3, aRole],
  listRoles: [1, nothing],
  listPermissions: [1, nothing],
  createStrategy: [
    9,
    record({ plan, key: maybe(fc.constantFrom('key-1', 'key-2')) }) as fc.Arbitrary<InputOf<'createStrategy'>>,
  ],
  updateStrategy: [5, record({ strategy: index, plan, match })],
  deleteStrategy: [3, aStrategy],
  deleteStrategyByBody: [2, aStrategy],
  getStrategy: [2, record({ strategy: index })],
  listStrategies: [2, nothing],
  listIntents: [3, nothing],
  deleteIntent: [3, index.map((each) => ({ intents: [each] }))],
  deleteIntents: [3, record({ intents: fc.array(index, { maxLength: 2 }) })],
  listNodes: [1, nothing],
  listNodeProcesses: [4, record({ node: fc.constantFrom('node-1', 'node-2', 'node-3', 'node-4') })],
  reportScheduler: [
    6,
    record({
      node: often([4, 'node-1'], [4, 'node-2'], [1, 'node-3'], [1, 'node-4']),
      pod: fc.integer({ min: 4, max: 7 }),
      root: often<'right' | 'other'>([1, 'right'], [1, 'other']),
    }),
  ],
  listSchedulers: [2, nothing],
  listAudit: [1, nothing],
}

/** `scheduler`: not the caller's own, but an assertion of the scheduler that is spoken of; `other scheduler`: of another one. */
type Shown =
  | 'fresh'
  | 'last'
  | 'first'
  | 'none'
  | 'malformed'
  | 'forged'
  | 'expired'
  | 'of nobody'
  | 'scheduler'
  | 'other scheduler'

/** One call: who makes it, what he shows for himself, and what he wants. */
export type Call = {
  readonly [O in Operation]: {
    readonly operation: O
    readonly input: InputOf<O>
    readonly caller: number
    /** `fresh`: his last token, or a new one if that is dead. The others may be dead. */
    readonly shows: Shown
  }
}[Operation]

/** What happens around the service. */
export type Event =
  | { readonly event: 'pod'; readonly pod: number }
  | { readonly event: 'scheduler'; readonly node: string }
  | { readonly event: 'synced' }

const shows = often<Call['shows']>(
  [40, 'fresh'],
  [14, 'last'],
  [5, 'first'],
  [1, 'none'],
  [1, 'malformed'],
  [1, 'forged'],
  [1, 'expired'],
  [1, 'of nobody'],
  [1, 'scheduler'],
)
const showsOfScheduler = often<Call['shows']>(
  [12, 'scheduler'],
  [1, 'other scheduler'],
  [1, 'fresh'],
  [1, 'none'],
  [1, 'malformed'],
  [1, 'forged'],
)
const call = fc.oneof(
  ...(Object.keys(rules) as Operation[]).map((operation) => {
    const [weight, input] = inputs[operation]
    const shown = operation === 'reportScheduler' ? showsOfScheduler : shows
    const calls = record<object>({ operation: fc.constant(operation), input, caller: fc.nat(7), shows: shown })
    return { weight, arbitrary: calls as fc.Arbitrary<Call> }
  }),
)
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 3, arbitrary: record({ event: fc.constant('pod' as const), pod: fc.nat(PODS.length - 1) }) },
  {
    weight: 2,
    arbitrary: record({ event: fc.constant('scheduler' as const), node: fc.constantFrom(...NODES.keys()) }),
  },
  { weight: 1, arbitrary: record({ event: fc.constant('synced' as const) }) },
)

/** Roles and users that there are at first beside `admin` and the first who has it, and what is tried then. */
export const scene = record({
  roles: fc.array(rich, { minLength: 3, maxLength: 5 }),
  users: fc.array(
    record({
      roles: fc.array(fc.nat(7), { minLength: 1, maxLength: 3 }),
      status: often<1 | 2 | 3>([5, 1], [1, 2], [2, 3]),
    }),
    { minLength: 2, maxLength: 4 },
  ),
  steps: fc.array(fc.oneof({ weight: 14, arbitrary: call }, { weight: 1, arbitrary: event }), {
    maxLength: 80,
    size: 'max',
  }),
})
export type Scene = typeof scene extends fc.Arbitrary<infer S> ? S : never
