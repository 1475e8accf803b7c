import type { Resource } from '@bulkhead/resources'
import type { Step } from '../types.js'
import type { HttpRequest } from './types.js'

/** `GET /purchases?limit=3`, as sent. */
export function requestText({ method, path }: HttpRequest): string {
  return `${method} ${path}`
}

/** A step of a gateway's routes, at a place (`file:line`) of the object that decided. */
export function routeStep(
  resource: Resource,
  place: string,
  { outcome, code, rule, facts }: Pick<Step, 'outcome' | 'code' | 'rule' | 'facts'>,
): Step {
  return {
    hop: 0,
    point: 'gateway',
    engine: 'gateway-api',
    ...(resource.layer !== undefined && { layer: resource.layer }),
    outcome,
    code,
    policy: resource.id,
    ...(rule !== undefined && { rule }),
    at: place,
    ...(facts !== undefined && { facts }),
  }
}
