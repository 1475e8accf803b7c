import type { HttpRoute, HttpRouteFilter, Resource } from '@bulkhead/resources'
import { at, rawField } from '../model/kinds.js'

/*
 * What of a route the engine does not model. Istio takes a route with a filter that it does not know, or with one at a
 * backend that is no header modifier, as a whole for wrong and drops it (computeRoute, buildHTTPDestination), so such a
 * filter leaves every rule of its route unknown; the others only their own rule.
 */

export interface RouteUnknowns {
  /** By rule index. */
  readonly rules: readonly (string | undefined)[]
  readonly found: readonly { readonly id: string; readonly what: string; readonly at: string }[]
}

const modelled = new Set(['RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestRedirect', 'URLRewrite'])
/** Istio has them, we do not. */
const ruleOnly = new Set(['CORS', 'RequestMirror'])

export function routeUnknowns(route: Resource<HttpRoute>): RouteUnknowns {
  const found: { id: string; what: string; at: string }[] = []
  let whole: string | undefined
  const note = (what: string, path: readonly (string | number)[]): string => {
    const said = `${what} of ${route.id}`
    found.push({ id: route.id, what, at: at(route, path) })
    return said
  }
  const rules = (route.object.spec.rules ?? []).map((rule, index) => {
    let own: string | undefined
    const path = ['spec', 'rules', index]
    for (const [position, { type }] of (rule.filters ?? []).entries()) {
      if (modelled.has(type)) continue
      const said = note(`the filter ${type} in rule ${index}`, [...path, 'filters', position])
      if (ruleOnly.has(type)) own ??= said
      else whole ??= said
    }
    for (const [position, { filters }] of (rule.backendRefs ?? []).entries()) {
      for (const [filter, { type }] of (filters ?? []).entries()) {
        if (isHeaderModifier(type)) continue
        const place = [...path, 'backendRefs', position, 'filters', filter]
        whole ??= note(`the filter ${type} at a backend in rule ${index}`, place)
      }
    }
    // Of the experimental channel: no field of our schema, so an object that holds one came another way.
    for (const field of ['retry', 'sessionPersistence']) {
      if (rawField(rule, field) !== undefined) own ??= note(`${field} in rule ${index}`, [...path, field])
    }
    return own
  })
  return { rules: rules.map((own) => whole ?? own), found }
}

const isHeaderModifier = (type: HttpRouteFilter['type']): boolean =>
  type === 'RequestHeaderModifier' || type === 'ResponseHeaderModifier'
