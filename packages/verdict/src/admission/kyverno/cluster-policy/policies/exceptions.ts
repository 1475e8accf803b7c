import type { Resource } from '@bulkhead/resources'
import { at, rawField } from '../../../../model/kinds.js'
import { checkConditions } from '../conditions/conditions.js'
import { field, isDict, isList, textOf, textsOf } from '../data.js'
import { blockMatches, type Subject } from '../match/match.js'
import type { Policy, Rule, Scene } from '../types.js'
import { wildcardMatches } from '../values/wildcard.js'
import { QueryError } from '../variables/interpreter.js'

/*
 * PolicyException of kyverno.io: names policies and their rules, generated ones by their own names, and the objects that
 * they are not for. It counts in one namespace alone: whoever may create one there switches policies off.
 */

export interface Exception {
  readonly resource: Resource
  readonly spec: Readonly<Record<string, unknown>>
}

/** @param namespace `*`: every one. */
export function exceptionsIn(resources: readonly Resource[], namespace: string): readonly Exception[] {
  return resources.flatMap((resource) => {
    const { apiVersion } = resource.object
    if (resource.kind !== 'PolicyException' || !apiVersion.startsWith('kyverno.io/')) return []
    if (namespace !== '*' && (resource.namespace ?? 'default') !== namespace) return []
    const spec = rawField(resource.object, 'spec')
    return isDict(spec) ? [{ resource, spec }] : []
  })
}

export interface Excepted {
  readonly policy: string
  readonly at: string
  /** Of a rule about Pod Security it takes out some controls, and not the object. */
  readonly controlsOnly: boolean
}

/** The first that takes the object out of the rule. */
export function exceptionOf(
  rule: Rule,
  scene: Scene,
  subject: Subject,
  exceptions: readonly Exception[],
): Excepted | undefined {
  const found = exceptions.find(
    ({ spec }) => names(spec, rule, scene.policy) && blockMatches(spec.match, subject) && conditionsHold(spec, scene),
  )
  if (found === undefined) return undefined
  return { policy: found.resource.id, at: at(found.resource), controlsOnly: found.spec.podSecurity !== undefined }
}

function names(spec: Readonly<Record<string, unknown>>, rule: Rule, policy: Policy): boolean {
  const wanted = policy.namespace === undefined ? policy.name : `${policy.namespace}/${policy.name}`
  return (
    isList(spec.exceptions) &&
    spec.exceptions.some(
      (one) =>
        textOf(field(one, 'policyName')) === wanted &&
        textsOf(field(one, 'ruleNames')).some((name) => wildcardMatches(name, rule.name)),
    )
  )
}

/** One whose conditions cannot be evaluated excepts nothing. */
function conditionsHold(spec: Readonly<Record<string, unknown>>, { context }: Scene): boolean {
  try {
    return checkConditions(spec.conditions, context).holds
  } catch (error) {
    if (error instanceof QueryError) return false
    throw error
  }
}
