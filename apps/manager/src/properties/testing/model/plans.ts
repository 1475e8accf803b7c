import { refuse } from './refusals.js'
import type { Intent, Plan, Pod, Strategy, User } from './things.js'
import { type Done, type Match, type Rule, requireMatch, type World } from './world.js'

/* Strategies and intents (contract 1.8, 1.9; M12 to M15, M28). */

const MILLISECOND = 1_000_000

/** The expressions that scenes know, each told as what it means; the last one has no meaning. */
const expressions: Readonly<Record<string, ((command: string) => boolean) | undefined>> = {
  '': () => true,
  ngi: (command) => command.includes('ngi'),
  '^api( |$)': (command) => command === 'api' || command.startsWith('api '),
  '(?=x)': undefined,
}
export const knownExpressions = Object.keys(expressions)

function check({ labelSelectors, k8sNamespace, commandRegex, priority, executionTime }: Plan): void {
  const inRange = priority >= 0 && priority <= 20 && executionTime >= MILLISECOND && executionTime <= 1000 * MILLISECOND
  const narrow = labelSelectors.length > 0 || k8sNamespace.length > 0
  if (!inRange || !narrow || expressions[commandRegex] === undefined) refuse('VALIDATION_FAILED')
}

function podsOf({ synced, pods }: World, { labelSelectors, k8sNamespace, commandRegex }: Plan): Pod[] {
  if (!synced) refuse('CLUSTER_UNKNOWN')
  const isMeant = expressions[commandRegex] ?? (() => false)
  const found = pods.filter(
    ({ namespace, labels, command }) =>
      (k8sNamespace.length === 0 || k8sNamespace.includes(namespace)) &&
      labelSelectors.every(({ key, value }) => key in labels && (value === '' || labels[key] === value)) &&
      isMeant(command),
  )
  if (found.length === 0) refuse('NO_PODS_MATCH')
  return found
}

const mayOn = (world: World, user: User, key: string, { strategyNamespace, k8sNamespace }: Plan): boolean =>
  world.acts.mayPlan(user, key, strategyNamespace, k8sNamespace)

function own(world: World, caller: User, number: number, to: 'read' | 'update' | 'delete'): Strategy {
  const found = world.at(world.strategies, number)
  if (
    found === undefined ||
    found.gone ||
    found.owner !== caller ||
    !mayOn(world, caller, `schedule_strategy.${to}`, found.plan)
  )
    return refuse('STRATEGY_NOT_FOUND', `strategy not found or you don't have permission to ${to} it`)
  return found
}

const intentsOf = (world: World, strategy: Strategy): Intent[] =>
  world.intents.filter((intent) => intent.strategy === strategy && !intent.gone)

const nodesOf = (intents: readonly Intent[]): Set<string> => new Set(intents.map(({ pod }) => pod.node))

function answer(world: World, strategy: Strategy, made: number, version: number): Done {
  // The answer to a request that comes again speaks of as many as it did; there may be more by now, or fewer.
  const left = intentsOf(world, strategy)
  const pushed = Math.min(made, left.filter(({ state }) => state === 2).length)
  return { data: { strategy, intents: made, pushed, pending: Math.min(made, left.length) - pushed }, version }
}

/** Intents for these pods, told to the schedulers of all nodes that have or had some. */
function expand(world: World, strategy: Strategy, pods: readonly Pod[], before: readonly Intent[]): Done {
  for (const intent of before) intent.gone = true
  const made = pods.map((pod): Intent => ({ strategy, plan: strategy.plan, pod, state: 1, gone: false }))
  world.intents.push(...made)
  world.tell(nodesOf([...before, ...made]))
  return answer(world, strategy, made.length, strategy.version)
}

export const createStrategy: Rule<{ readonly plan: Plan; readonly key?: string }> = {
  needs: 'schedule_strategy.create',
  noted: 'strategy.create',
  does: (world, { plan, key }, caller) => {
    check(plan)
    if (!mayOn(world, caller, 'schedule_strategy.create', plan)) refuse('PERMISSION_DENIED')
    const request = JSON.stringify(plan)
    const before = world.kept.find((kept) => kept.user === caller && kept.key === key)
    if (before !== undefined) {
      if (before.request !== request) refuse('IDEMPOTENCY_KEY_REUSED')
      return { ...answer(world, before.strategy, before.intents, 1), status: 201 }
    }
    const pods = podsOf(world, plan)
    const strategy: Strategy = { owner: caller, plan, version: 1, gone: false }
    world.strategies.push(strategy)
    if (key !== undefined) world.kept.push({ user: caller, key, request, strategy, intents: pods.length })
    return { ...expand(world, strategy, pods, []), status: 201 }
  },
}

export const updateStrategy: Rule<{ readonly strategy: number; readonly plan: Plan; readonly match: Match }> = {
  needs: 'schedule_strategy.update',
  noted: 'strategy.update',
  does: (world, { strategy: number, plan, match }, caller) => {
    check(plan)
    const strategy = own(world, caller, number, 'update')
    requireMatch(match)
    if (!mayOn(world, caller, 'schedule_strategy.update', plan)) refuse('PERMISSION_DENIED')
    const pods = podsOf(world, plan)
    strategy.plan = plan
    strategy.version++
    return expand(world, strategy, pods, intentsOf(world, strategy))
  },
}

export const deleteStrategy: Rule<{ readonly strategy: number; readonly match: Match }> = {
  needs: 'schedule_strategy.delete',
  noted: 'strategy.delete',
  does: (world, { strategy: number, match }, caller) => {
    const strategy = own(world, caller, number, 'delete')
    requireMatch(match)
    strategy.gone = true
    const before = intentsOf(world, strategy)
    for (const intent of before) intent.gone = true
    world.tell(nodesOf(before))
    return { data: {} }
  },
}

const view = (strategy: Strategy) => ({ strategy, ...strategy.plan, version: strategy.version })

export const getStrategy: Rule<{ readonly strategy: number }> = {
  needs: 'schedule_strategy.read',
  does: (world, { strategy: number }, caller) => {
    const strategy = own(world, caller, number, 'read')
    return { data: view(strategy), version: strategy.version }
  },
}

export const listStrategies: Rule<object> = {
  needs: 'schedule_strategy.read',
  does: (world, _input, caller) => ({
    data: world.strategies
      .filter(
        ({ owner, gone, plan }) => owner === caller && !gone && mayOn(world, caller, 'schedule_strategy.read', plan),
      )
      .map(view),
  }),
}

/** Of whoever has made the strategy; and of a pod that his policies are good for. */
const isHis = (world: World, caller: User, key: string, { strategy, plan, pod, gone }: Intent): boolean =>
  !gone && strategy.owner === caller && world.acts.mayPlan(caller, key, plan.strategyNamespace, [pod.namespace])

export const listIntents: Rule<object> = {
  needs: 'schedule_intent.read',
  does: (world, _input, caller) => ({
    data: world.intents
      .filter((intent) => isHis(world, caller, 'schedule_intent.read', intent))
      .map((intent) => ({
        intent,
        strategy: intent.strategy,
        strategyNamespace: intent.plan.strategyNamespace,
        podName: intent.pod.name,
        nodeId: intent.pod.node,
        k8sNamespace: intent.pod.namespace,
        commandRegex: intent.plan.commandRegex,
        priority: intent.plan.priority,
        executionTime: intent.plan.executionTime,
        podLabels: intent.pod.labels,
        state: intent.state,
      })),
  }),
}

export const deleteIntents: Rule<{ readonly intents: readonly number[] }> = {
  needs: 'schedule_intent.delete',
  noted: 'intent.delete',
  does: (world, { intents: numbers }, caller) => {
    if (numbers.length === 0) refuse('INTENT_IDS_REQUIRED')
    const wanted = numbers.map((number) => world.at(world.intents, number))
    if (wanted.some((intent) => intent === undefined || !isHis(world, caller, 'schedule_intent.delete', intent)))
      refuse('INTENTS_NOT_FOUND')
    const found = wanted as Intent[]
    for (const intent of found) intent.gone = true
    world.tell(nodesOf(found))
    return { data: {} }
  },
}
