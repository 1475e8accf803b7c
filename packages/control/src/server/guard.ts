import { createHash, timingSafeEqual } from 'node:crypto'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { RequestError } from './errors.js'

/**
 * A page in a browser can make a name of its own point to 127.0.0.1 and then read what answers there (DNS rebinding).
 * Its requests carry that name, so only ours are answered.
 */
export function onlyOwnHost(port: () => number): RequestHandler {
  return (request: Request, _response: Response, next: NextFunction) => {
    const allowed = ['127.0.0.1', 'localhost'].map((host) => `${host}:${port()}`)
    if (allowed.includes(request.headers.host ?? '')) return next()
    throw new RequestError(
      403,
      'bad-host',
      `this is reached as ${allowed[0]}, not as ${JSON.stringify(request.headers.host ?? '')}.`,
    )
  }
}

/** The token of control.json, as `Authorization: Bearer`. Compared in a time that tells nothing about it. */
export function onlyWithToken(token: string): RequestHandler {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const wanted = digest(`Bearer ${token}`)
  return (request: Request, response: Response, next: NextFunction) => {
    if (timingSafeEqual(digest(request.headers.authorization ?? ''), wanted)) return next()
    response.setHeader('www-authenticate', 'Bearer')
    throw new RequestError(401, 'no-token', 'the token of control.json is needed, as "Authorization: Bearer ...".')
  }
}
