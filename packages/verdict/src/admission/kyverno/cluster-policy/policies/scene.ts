import type { Requester, Review } from '../../../types.js'
import type { Dict } from '../data.js'
import { Budget } from '../limits.js'
import { entriesOf } from '../rules/entries.js'
import type { Policy, Roles, Rule, Scene } from '../types.js'
import { Context } from '../variables/context.js'
import { imagesEntry, requestData } from '../variables/request.js'

/** What a request is to all rules alike. */
export interface Asked {
  readonly review: Review
  readonly operation: string
  readonly object: Dict | null
  readonly oldObject: Dict | null
  readonly roles: Roles
}

export function askedOf(review: Review, rolesOf: (user: Requester) => Roles): Asked {
  const { operation, user } = review.request
  const roles = rolesOf(user)
  if (operation === 'DELETE')
    return { review, operation, object: null, oldObject: review.oldObject ?? review.object, roles }
  return { review, operation, object: review.object, oldObject: review.oldObject, roles }
}

/** As it was before: the object that is there, as if it were created now. Nobody in particular asks. */
export function asBefore(asked: Asked): Asked {
  return { ...asked, operation: 'CREATE', object: asked.oldObject, oldObject: null }
}

export function sceneOf(asked: Asked, policy: Policy, rule: Rule): Scene {
  const { review, operation, object, oldObject, roles } = asked
  const budget = new Budget()
  const data = requestData(review, object, oldObject, operation, roles)
  const entries = [
    ...imagesEntry(review.request.object.kind, object ?? oldObject),
    ...entriesOf(rule.body.context, review, policy.namespace),
  ]
  return { ...asked, policy, budget, context: new Context(data, budget, entries) }
}
