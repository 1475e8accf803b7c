import { splitPath } from '../../routes/path.js'
import { requestText } from '../../routes/step.js'
import type { HttpRequest } from '../../routes/types.js'
import type { Step } from '../../types.js'
import { istioStep } from '../policy/step.js'

/*
 * Requests that a proxy answers with 400 before any filter sees them. Sources: Istio's reference "Authorization Policy
 * Normalization" (%00; a method that is not in upper case); RFC 9112, 3.2, as Envoy's HTTP/1 codec has it (a target that is
 * neither a path, nor a whole URL, nor the `*` of OPTIONS; blanks and control characters).
 */

/** Why no proxy takes it; undefined for the others. */
export function whyRefused({ method, path }: HttpRequest): string | undefined {
  if (/[a-z]/.test(method)) return 'a method is in upper case'
  if (/[\0- \x7f]/.test(path)) return 'there is a blank or a control character in its path'
  const whole = path.startsWith('/') || (path === '*' && method === 'OPTIONS')
  if (!whole && method !== 'CONNECT') return 'its target is no path'
  if (splitPath(path) === undefined) return 'there is an escaped NUL (%00) in its path'
  return undefined
}

export function refusedStep(
  point: 'waypoint' | 'gateway',
  why: string,
  request: HttpRequest,
  facts: NonNullable<Step['facts']>,
): Step {
  return istioStep(point, 'deny', 'request.refused', { ...facts, request: requestText(request), why })
}

const absolute = /^https?:\/\/([^/?#]*)(.*)$/i

/** A target that is a whole URL names the host as well, and that counts before the Host header (RFC 9112, 3.2.2). */
export function withoutAbsoluteForm(request: HttpRequest): HttpRequest {
  const [, host, rest] = absolute.exec(request.path) ?? []
  if (host === undefined || rest === undefined) return request
  return { ...request, host, path: rest.startsWith('/') ? rest : `/${rest}` }
}
