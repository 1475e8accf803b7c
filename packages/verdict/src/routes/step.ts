import type { Resource } from '@bulkhead/resources'
import type { Step } from '../types.js'
import type { HttpRequest } from './types.js'

/** `GET /purchases?limit=3`, as sent. */
export function requestText({ method, path }: HttpRequest): string {
  return `${method} ${path}`
}

type Writable = { -readonly [K in keyof Step]: Step[K] }

/**
 * A step of a gateway's routes, at a place (`file:line`) of the object that decided. Written out key by key: this runs for
 * every request, and spreading costs ten times as much.
 */
export function routeStep(
  resource: Resource,
  place: string,
  { outcome, code, rule, facts }: Pick<Step, 'outcome' | 'code' | 'rule' | 'facts'>,
): Step {
  const { layer, id } = resource
  const step: Writable =
    layer === undefined
      ? { hop: 0, point: 'gateway', engine: 'gateway-api', outcome, code, policy: id }
      : { hop: 0, point: 'gateway', engine: 'gateway-api', layer, outcome, code, policy: id }
  if (rule !== undefined) step.rule = rule
  step.at = place
  if (facts !== undefined) step.facts = facts
  return step
}
