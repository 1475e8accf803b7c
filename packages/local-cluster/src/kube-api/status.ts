import type { RequestAttributes, User } from './types.js'

/** What the API server answers instead of an object (`meta/v1 Status`). Thrown by whoever finds out. */
export class ApiStatus extends Error {
  readonly code: number
  readonly reason: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: number, reason: string, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.name = 'ApiStatus'
    this.code = code
    this.reason = reason
    this.details = details
  }

  toJSON(): object {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      details: this.details,
      code: this.code,
    }
  }
}

export const unauthorized = (): ApiStatus => new ApiStatus(401, 'Unauthorized', 'Unauthorized')

/** In the words of Kubernetes, which name who, what and where. */
export function forbidden(user: User, request: RequestAttributes): ApiStatus {
  const who = `User ${JSON.stringify(user.name)} cannot`
  if (request.kind === 'path')
    return new ApiStatus(403, 'Forbidden', `forbidden: ${who} ${request.verb} path ${JSON.stringify(request.path)}`)
  const { verb, group, resource, subresource, namespace, name } = request
  const what = subresource === undefined ? resource : `${resource}/${subresource}`
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`
  const qualified = group === '' ? resource : `${resource}.${group}`
  const named = name === undefined ? qualified : `${qualified} ${JSON.stringify(name)}`
  return new ApiStatus(
    403,
    'Forbidden',
    `${named} is forbidden: ${who} ${verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}`,
    { ...(name !== undefined && { name }), ...(group !== '' && { group }), kind: resource },
  )
}

export const notFound = (resource: string, name: string): ApiStatus =>
  new ApiStatus(404, 'NotFound', `${resource} ${JSON.stringify(name)} not found`, { name, kind: resource })

/** A cluster serves it and this one does not: Kubernetes' sentence for what is not served, and why. */
export const notServed = (what: string): ApiStatus =>
  new ApiStatus(
    404,
    'NotFound',
    `the server could not find the requested resource (${what}): the local target serves pods and nodes, to be read`,
  )

export const badRequest = (message: string): ApiStatus => new ApiStatus(400, 'BadRequest', message)

export const methodNotAllowed = (): ApiStatus =>
  new ApiStatus(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource')

export const tooOld = (asked: number, oldest: number): ApiStatus =>
  new ApiStatus(410, 'Expired', `too old resource version: ${asked} (${oldest})`)

export const continueExpired = (): ApiStatus =>
  new ApiStatus(
    410,
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
  )

/** A version that this server has not come to: the client had it from another one. */
export const tooNew = (asked: number, current: number): ApiStatus =>
  new ApiStatus(504, 'Timeout', `Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })

export const tooMany = (): ApiStatus =>
  new ApiStatus(429, 'TooManyRequests', 'too many requests, please try again later', { retryAfterSeconds: 1 })
