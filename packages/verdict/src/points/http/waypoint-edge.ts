import { connectionNames, isHopByHop } from './edge.js'

/*
 * What Envoy's connection manager does to a request's headers at a waypoint. istiod sets it up there unlike at a gateway:
 * `use_remote_address` is off, so that the request is no edge's (listener_waypoint.go: buildWaypointInboundHTTPFilters;
 * conn_manager_utility.cc: mutateRequestHeaders, cleanInternalHeaders, mutateXfccRequestHeader). Hence:
 *
 * - X-Forwarded-For is neither extended nor checked, and its last address is what `remoteIpBlocks` and `remote.ip` read:
 *   the caller's own word, or that of a gateway before it;
 * - X-Request-Id and X-Forwarded-Proto stay as the caller wrote them, and are made only where they are missing;
 * - X-Forwarded-Client-Cert is taken off: the certificate was shown to the tunnel, and the request inside it shows none;
 * - of Envoy's own headers those go that would direct the proxy (retries, timeouts, tracing); the others stay.
 */

type Headers = Readonly<Record<string, string>>

/** Those that a request which is not of the mesh's own making may not bring along, at any hop. */
const routingOrders: ReadonlySet<string> = new Set(
  [
    'expected-rq-timeout-ms',
    'force-trace',
    'hedge-on-per-try-timeout',
    'internal',
    'ip-tags',
    'max-retries',
    'original-url',
    'retriable-header-names',
    'retriable-status-codes',
    'retry-grpc-on',
    'retry-on',
    'upstream-alt-stat-name',
    'upstream-rq-per-try-timeout-ms',
    'upstream-rq-timeout-alt-response',
    'upstream-rq-timeout-ms',
  ].map((name) => `x-envoy-${name}`),
)

/** Whether a header of that name (in lower case) goes past a waypoint's door. */
export const isForwardedByWaypoint = (name: string): boolean =>
  !isHopByHop(name) && name !== 'x-forwarded-client-cert' && !routingOrders.has(name)

/** The request id is new where there is none; here one that no policy can have meant. */
const someRequestId = '00000000-0000-4000-8000-000000000000'

/** The headers of a request by the time that a waypoint's policies read them. Names in lower case; without Host. */
export function asReceivedByWaypoint(sent: Headers): Headers {
  const taken = new Set(sent.connection === undefined ? [] : connectionNames(sent.connection))
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(sent))
    if (isForwardedByWaypoint(name) && !taken.has(name)) headers[name] = value
  const { 'x-forwarded-proto': proto = '' } = headers
  if (!/^https?$/i.test(proto)) headers['x-forwarded-proto'] = 'http'
  headers['x-request-id'] ??= someRequestId
  return headers
}
