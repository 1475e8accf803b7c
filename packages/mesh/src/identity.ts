import type { TLSSocket } from 'node:tls'

/**
 * Who the far side of a verified TLS connection is, or why nobody can be said. Source of the rule: X509-SVID, section
 * 2 (exactly one URI, and it is the SPIFFE ID) and 4.1; the form under a trust domain is Istio's.
 */
export type PeerIdentity = { readonly identity: string } | { readonly refused: string }

/** Names of Kubernetes objects (RFC 1123 subdomain). Nothing that would need quoting gets past it. */
const NAME = '[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?'
/**
 * Node quotes a name that holds a comma or a quote, so an anchored match of the whole text cannot be fooled by a name
 * that pretends to be two; splitting at ", " could.
 */
const ONE_URI = new RegExp(`^URI:(spiffe://(${NAME})/ns/(${NAME})/sa/(${NAME}))$`)

/** Reads `subjectaltname` as Node prints it. */
export function identityOfAltNames(altNames: string | undefined, trustDomain: string): PeerIdentity {
  if (altNames === undefined || altNames === '') return { refused: 'the certificate names nobody: it has no URI' }
  const [, identity, domain] = ONE_URI.exec(altNames) ?? []
  if (identity === undefined)
    return {
      refused: `the certificate's names are ${JSON.stringify(altNames.slice(0, 200))}, not exactly one spiffe:// URI of a service account`,
    }
  if (domain !== trustDomain)
    return { refused: `the certificate is of trust domain ${JSON.stringify(domain)}, this mesh is ${trustDomain}` }
  return { identity }
}

/** Only for sockets whose certificate was verified: this reads what it says, not whether it is true. */
export function peerIdentity(socket: TLSSocket, trustDomain: string): PeerIdentity {
  const certificate = socket.getPeerCertificate()
  // Node answers {} where there is none.
  if (!certificate || Object.keys(certificate).length === 0) return { refused: 'the peer showed no certificate' }
  return identityOfAltNames(certificate.subjectaltname, trustDomain)
}
