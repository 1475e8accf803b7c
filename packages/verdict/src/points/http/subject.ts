import { parseAddress } from '../../model/addresses.js'
import { splitPath } from '../../routes/path.js'
import type { HttpRequest } from '../../routes/types.js'
import type { Subject } from '../policy/subject.js'

/** What Envoy knows of a request when it asks its AuthorizationPolicies. */
export interface HttpSubject extends Subject {
  readonly method: string
  /** As sent, with its port if it has one, in lower case: host names have no case. Undefined without one. */
  readonly host: string | undefined
  /** Normalised, without the query; undefined for one that no proxy takes. */
  readonly path: string | undefined
  readonly request: HttpRequest
  /**
   * The address of the original client. At a gateway with `numTrustedProxies: 0`, the default, X-Forwarded-For is believed
   * from nobody, and this is the TCP peer's (C.6). At a waypoint it is what X-Forwarded-For ends with, whoever wrote it.
   */
  readonly remoteIp: string
}

export function httpSubject(connection: Subject, request: HttpRequest): HttpSubject {
  return {
    ip: connection.ip,
    port: connection.port,
    destinationIp: connection.destinationIp,
    caller: connection.caller,
    method: request.method,
    host: request.host === '' ? undefined : request.host.toLowerCase(),
    path: splitPath(request.path)?.path,
    request,
    remoteIp: connection.ip,
  }
}

/** As a waypoint's Envoy has it: see waypoint-edge.ts. */
export function subjectAtWaypoint(connection: Subject, request: HttpRequest): HttpSubject {
  const subject = httpSubject(connection, request)
  const forwarded = request.headers['x-forwarded-for']
  const last = forwarded?.slice(forwarded.lastIndexOf(',') + 1).trim()
  return last === undefined || parseAddress(last) === undefined ? subject : { ...subject, remoteIp: last }
}

/** What no request has: a method that is none, and headers that are not there. */
const noRequest: HttpRequest = { method: '', host: '', path: '', headers: {} }

/** What Envoy knows of a connection that carries no HTTP. Attributes of requests are no part of its rules (C.6). */
export function connectionSubject(connection: Subject): HttpSubject {
  const { ip, port, destinationIp, caller } = connection
  return {
    ip,
    port,
    destinationIp,
    caller,
    method: '',
    host: undefined,
    path: undefined,
    request: noRequest,
    remoteIp: ip,
  }
}

/** Envoy normalises the path where it keeps it, with the query behind it, so whoever asks for the header reads that. */
function normalized(target: string): string | undefined {
  const parts = splitPath(target)
  return parts && parts.path + parts.query
}

/** How Envoy finds a header: `host` is another name of the authority, and some parts of the request have names too. */
export function headerReader(name: string): (subject: HttpSubject) => string | undefined {
  switch (name) {
    case 'host':
    case ':authority':
      return ({ request }) => (request.host === '' ? undefined : request.host)
    case ':method':
      return ({ request }) => request.method
    case ':path':
      return ({ request }) => normalized(request.path)
    default:
      // What every object has is no header of that name.
      return name in Object.prototype
        ? ({ request }) => (Object.hasOwn(request.headers, name) ? request.headers[name] : undefined)
        : ({ request }) => request.headers[name]
  }
}
