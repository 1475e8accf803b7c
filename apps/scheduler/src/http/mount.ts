import type { IncomingMessage, ServerResponse } from 'node:http'
import { ServiceError, type ServiceOptions, send } from '@bulkhead/service-kit'
import type { Guard } from '../auth/guard.js'
import { readJson } from './body.js'
import { API_TYPE, success } from './envelope.js'
import { check } from './fields.js'
import type { Route } from './route.js'

/** Memory: the bodies of all routes but one have a few hundred characters. */
export const SMALL_BODY_BYTES = 16 * 1024

type App = Parameters<ServiceOptions['routes']>[0]

/** Registers the routes: each request is let in, read, held against the schema, handled, and answered. */
export function mountRoutes(app: App, routes: readonly Route[], guard: Guard, now: () => number = Date.now): void {
  // What stands in front judges paths letter by letter: another spelling must not be the same route behind it.
  app.enable('case sensitive routing')
  app.enable('strict routing')
  for (const route of routes) {
    const handler = (request: IncomingMessage, response: ServerResponse): Promise<void> =>
      answer(route, guard, now, request, response)
    if (route.method === 'GET') app.get(route.path, handler)
    else if (route.method === 'POST') app.post(route.path, handler)
    else if (route.method === 'PUT') app.put(route.path, handler)
    else app.delete(route.path, handler)
  }
}

async function answer(
  route: Route,
  guard: Guard,
  now: () => number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    // Who calls comes first: a stranger learns nothing of what a body should look like, and has none read.
    await guard(route.caller, request.headers.authorization)
    const { body, maxBodyBytes = SMALL_BODY_BYTES } = route
    const value = body === undefined ? undefined : check(body, await readJson(request, maxBodyBytes))
    const { data, raw } = await route.handle(value)
    response.setHeader('cache-control', 'no-store')
    response.setHeader('x-content-type-options', 'nosniff')
    send(response, 200, API_TYPE, raw ?? success(data, now()))
  } catch (thrown) {
    if (thrown instanceof ServiceError && thrown.status === 401) response.setHeader('www-authenticate', 'Bearer')
    throw thrown
  }
}
