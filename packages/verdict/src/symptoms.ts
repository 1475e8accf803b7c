/**
 * What a client sees, as a closed list. The names are for programs; `says` is for people; `curl` is the exit
 * status (or statuses) of curl for the same event. Source: shared facts of Istio, Cilium and Envoy behaviour,
 * see docs/reasons.md. What a client cannot tell apart is one symptom: an empty reply (curl 52) and a reset (56), since
 * which of the two appears depends on whether the FIN or the RST wins a race; and for a client that speaks TLS (35) a
 * reset on its ClientHello, whether ztunnel did not let its identity in or Cilium did not allow the server name.
 */
export const symptoms = {
  ok: { curl: [0], says: 'an answer of the application' },
  timeout: { curl: [28], says: 'nothing: the connect timed out' },
  reset: { curl: [35, 52, 56], says: 'a connection that opened and was closed without a byte' },
  'late-reset': {
    curl: [35, 52, 56],
    says: 'a connection that opened, waited for the mesh to give up, and was closed',
  },
  refused: { curl: [7], says: 'connection refused' },
  'tls-refused': { curl: [35, 56], says: 'a TLS alert: the certificate was not accepted' },
  'dns-refused': { curl: [6], says: 'a name that DNS refused to resolve' },
  'dns-timeout': { curl: [6, 28], says: 'a name that DNS never answered for' },
  'dns-not-found': { curl: [6], says: 'a name that does not exist' },
  'rbac-403': { curl: [0, 22], says: '403 RBAC: access denied' },
  'cilium-403': { curl: [0, 22], says: '403 Access denied' },
  redirected: { curl: [0], says: 'a redirect to another address' },
  'gateway-400': {
    curl: [0, 22],
    says: 'a 4xx that says "refused": a request that the gateway or waypoint does not take',
  },
  'gateway-404': { curl: [0, 22], says: '404 without a body: no route' },
  'gateway-500': { curl: [0, 22], says: '500: the gateway has a route and nowhere to send the request' },
  'gateway-503': { curl: [0, 22], says: '503: the gateway or waypoint could not reach the service' },
  'gateway-504': { curl: [0, 22], says: '504: the service did not answer the gateway in time' },
  'no-answer': { curl: [28], says: 'a connection that opened and never answered' },
  'admission-refused': { curl: [], says: 'the API server refused the object' },
} as const satisfies Record<string, { curl: readonly number[]; says: string }>

export type Symptom = keyof typeof symptoms
