import type { IncomingMessage, ServerResponse } from 'node:http'

const METHODS = new Set(['GET', 'POST', 'HEAD'])
const HEADERS = new Set(['origin', 'accept', 'content-type', 'x-requested-with'])

/** CORS as the original has it: any origin, GET, POST and HEAD. @returns whether the request was a preflight, and is answered */
export function cors(request: IncomingMessage, response: ServerResponse): boolean {
  const { origin } = request.headers
  const preflight = request.method === 'OPTIONS' ? request.headers['access-control-request-method'] : undefined
  if (preflight === undefined) {
    response.setHeader('Vary', 'Origin')
    if (origin !== undefined && METHODS.has(request.method ?? ''))
      response.setHeader('Access-Control-Allow-Origin', '*')
    return false
  }
  response.setHeader('Vary', ['Origin', 'Access-Control-Request-Method', 'Access-Control-Request-Headers'])
  const asked = String(request.headers['access-control-request-headers'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  if (
    origin !== undefined &&
    METHODS.has(preflight.toUpperCase()) &&
    asked.every((name) => HEADERS.has(name.toLowerCase()))
  ) {
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('Access-Control-Allow-Methods', preflight.toUpperCase())
    if (asked.length > 0) response.setHeader('Access-Control-Allow-Headers', asked.join(', '))
  }
  response.statusCode = 200
  response.end()
  return true
}
