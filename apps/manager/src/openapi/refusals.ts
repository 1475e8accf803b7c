import { kitErrors } from '@bulkhead/service-kit'
import { managerErrors } from '../http/errors.js'
import type { Route } from '../http/route.js'

type ManagerCode = keyof typeof managerErrors.table
type Code = ManagerCode | keyof typeof kitErrors.table

/** What a route may be refused with, by status: what its kind brings along, and what it says of itself. */
export function refusalsOf(route: Route): ReadonlyMap<number, readonly Code[]> {
  const byStatus = new Map<number, Code[]>()
  for (const code of new Set([...commonOf(route), ...route.errors])) {
    const status = statusOf(code)
    const codes = byStatus.get(status)
    if (codes === undefined) byStatus.set(status, [code])
    else codes.push(code)
  }
  // Where no other 400 is, it is what any request may be answered, as other bytes that are no proper request.
  if (route.params !== undefined) byStatus.get(400)?.push('MALFORMED_PATH')
  return new Map([...byStatus].sort(([a], [b]) => a - b))
}

function commonOf({ method, permission, params, query, body, ifMatch, idempotent, raw }: Route): Code[] {
  const codes: Code[] = []
  if (permission !== 'none') codes.push('AUTHORIZATION_MISSING', 'AUTHORIZATION_MALFORMED', 'TOKEN_INVALID')
  // What a browser's cookie may be refused with.
  if (permission !== 'none' && permission !== 'scheduler')
    codes.push('ORIGIN_REFUSED', ...(method === 'GET' ? [] : (['CSRF_TOKEN_INVALID'] as const)))
  if (permission === 'token') codes.push('UNAUTHORIZED')
  else if (permission === 'scheduler') codes.push('NOT_ITS_NODE', 'SCHEDULERS_UNKNOWN')
  else if (permission !== 'none') codes.push('TOKEN_OF_NOBODY', 'PASSWORD_CHANGE_REQUIRED', 'PERMISSION_DENIED')
  if (body !== undefined) codes.push('INVALID_BODY', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE')
  if (params !== undefined || query !== undefined || body !== undefined) codes.push('VALIDATION_FAILED')
  if (ifMatch || idempotent) codes.push('INVALID_HEADER')
  if (ifMatch) codes.push('VERSION_CONFLICT')
  if (!raw) codes.push('UNAVAILABLE')
  return codes
}

function statusOf(code: Code): number {
  const ours: Readonly<Record<string, { readonly status: number }>> = managerErrors.table
  const kits: Readonly<Record<string, { readonly status: number }>> = kitErrors.table
  const row = ours[code] ?? kits[code]
  if (row === undefined) throw new TypeError(`there is no error ${code}`)
  return row.status
}
