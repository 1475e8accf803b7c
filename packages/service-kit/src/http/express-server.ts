import {
  createServer,
  IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  ServerResponse,
} from 'node:http'
import express, { type Express } from 'express'
import type { RequestContext, WithContext } from './request-context.js'

/**
 * An Express application and the server that fits it.
 *
 * Express changes the prototype of every request and response to the application's own. On Node 20 that makes everything
 * after it two to three times slower, since the engine no longer trusts the objects' shapes. So the server is given
 * classes whose prototypes *are* the application's (the documented `app.request` and `app.response`), and the change
 * finds nothing to do. Hence a test needs the server, too, and not the application.
 */
export function createExpress(): { app: Express; serve(options: ServerOptions, listener: RequestListener): Server } {
  const app = express()

  class Request extends IncomingMessage implements WithContext {
    context: RequestContext | undefined = undefined
    // Express sets these on every request: declared here, no request changes its shape.
    res: unknown = undefined
    baseUrl = ''
    originalUrl = ''
    params: unknown = undefined
    route: unknown = undefined
    next: unknown = undefined
  }
  class Response extends ServerResponse {
    locals: unknown = undefined
  }
  adopt(Request.prototype, app.request)
  adopt(Response.prototype, app.response)
  app.request = Request.prototype as unknown as typeof app.request
  app.response = Response.prototype as unknown as typeof app.response

  // What Express would do for every request whether anyone wants it or not.
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')
  // Off by default, said aloud: behind a mesh, X-Forwarded-For is the caller's claim and nothing more.
  app.set('trust proxy', false)

  return {
    app,
    serve: (options, listener) =>
      createServer(
        { ...options, IncomingMessage: Request, ServerResponse: Response as unknown as typeof ServerResponse },
        listener,
      ),
  }
}

/** Puts Express's prototype between the class's and Node's, and its own properties (`app`) on the class's. */
function adopt(prototype: object, express: object): void {
  Object.setPrototypeOf(prototype, Object.getPrototypeOf(express) as object)
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(express))) {
    Object.defineProperty(prototype, name, descriptor)
  }
}
