import type { Resource } from '@bulkhead/resources'
import { selectorMatches } from '@bulkhead/resources/selectors'
import { at } from '../../model/kinds.js'
import { type Fields, field, labelsOf, selector, text, texts } from '../match/fields.js'
import { compileMatch, type Matches } from '../match/match.js'
import { resourceOf } from '../targets.js'
import type { Review } from '../types.js'
import type { Policy } from './policy.js'

export interface Binding {
  readonly name: string
  readonly policyName: string
  readonly at: string
  readonly matches: Matches
  readonly actions: ReadonlySet<string>
  readonly paramRef: unknown
}

export function readBinding(resource: Resource): Binding {
  const spec = field(resource.object, 'spec')
  return {
    name: resource.name,
    policyName: text(field(spec, 'policyName')) ?? '',
    at: at(resource),
    matches: compileMatch(field(spec, 'matchResources')),
    actions: new Set(texts(field(spec, 'validationActions'))),
    paramRef: field(spec, 'paramRef'),
  }
}

/** The parameters that a binding has a policy evaluated with, once for each; null stands for none. Or why it cannot be. */
export type Params = readonly (Fields | null)[] | { readonly error: string }

export function paramsOf({ paramKind }: Policy, { paramRef }: Binding, review: Review): Params {
  if (paramKind === undefined || paramRef === undefined) return [null]
  const resource = resourceOf(paramKind.kind)
  // A kind of the cluster's own has its objects in no namespace; for the others it is the request's by default.
  const namespaces = [text(field(paramRef, 'namespace')) ?? review.namespace ?? '', '']
  const name = text(field(paramRef, 'name'))
  const chosen = selector(field(paramRef, 'selector')) ?? {}
  const found = namespaces.flatMap((namespace): readonly Fields[] => {
    const all = review.list(paramKind.apiVersion, resource, namespace)
    if (name === undefined)
      return all.filter((object) => selectorMatches(chosen, labelsOf(field(object, 'metadata', 'labels'))))
    const one = review.get(paramKind.apiVersion, resource, namespace, name)
    return one === undefined ? [] : [one]
  })
  const once = [...new Set(found)]
  if (once.length > 0) return once
  if (field(paramRef, 'parameterNotFoundAction') === 'Allow') return []
  return {
    error: 'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
  }
}
