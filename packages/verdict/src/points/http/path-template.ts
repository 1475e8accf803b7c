/*
 * Path templates of AuthorizationPolicies: `/a/{*}/b/{**}`. Envoy's URI templates underneath; source: Istio's reference of
 * AuthorizationPolicy (`operation.paths`) and semantics C.6.
 */

const one = '{*}'
const any = '{**}'
/** What a template's operator takes of a path, beside the slash: unreserved, escaped, and most of what separates. */
const letters = "A-Za-z0-9\\-._~%!$&'()+,;:@="

export function isTemplate(value: string): boolean {
  return value.includes(one) || value.includes(any)
}

/**
 * `{*}` is one segment that is not empty; `{**}` is any number of them, and must be the last operator. Undefined for a
 * template that istiod refuses.
 */
export function templateTest(template: string): ((path: string) => boolean) | undefined {
  const segments = template.split('/')
  const last = segments.findLastIndex((segment) => segment === one || segment === any)
  const valid = segments.every(
    (segment, index) => segment === one || (segment === any && index === last) || !/[*{}]/.test(segment),
  )
  if (!valid || !template.startsWith('/')) return undefined
  const source = segments.map((segment) => {
    if (segment === one) return `[${letters}]+`
    if (segment === any) return `[${letters}/]*`
    return segment.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  })
  const expression = new RegExp(`^${source.join('/')}$`)
  return (path) => expression.test(path)
}
