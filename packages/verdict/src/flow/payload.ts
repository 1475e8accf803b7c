import { parseAddress } from '../model/addresses.js'
import { withoutAbsoluteForm } from '../points/http/refused.js'
import type { CniVerdict, Flow, Payload } from '../types.js'
import type { Caller } from './parties.js'
import { requestSent } from './request.js'
import type { Route } from './route.js'

type Reads = NonNullable<CniVerdict['reads']>

export interface Carried {
  readonly flow: Flow
  readonly caller: Caller
  readonly route: Route
  /** A tunnel of the mesh: whatever is in it, TLS without a server name is all that is seen of it (semantics B.7). */
  readonly tunnelled: boolean
}

/**
 * What a CNI\'s proxy finds in a flow\'s connection when it reads it. What the flow leaves open is what a client would do
 * that is given nothing but the destination: it names the host in its ClientHello, or asks for `GET /`. Undefined where
 * there is nothing that a client would ask for: a question of a name.
 */
export function payloadOf({ flow, caller, route, tunnelled }: Carried, reads: Reads): Payload | undefined {
  const { tls, dns, http } = flow
  if (tunnelled) return { kind: 'tls' }
  if (dns !== undefined) return question(dns.query)
  if (tls !== undefined) return { kind: 'tls', ...(tls.sni !== undefined && { sni: tls.sni }) }
  switch (reads) {
    case 'tls': {
      const sni = http === undefined ? usualServerName(flow) : undefined
      return sni === undefined ? { kind: 'other' } : { kind: 'tls', sni }
    }
    case 'http':
      return { kind: 'http', ...withoutAbsoluteForm(requestSent(flow, caller, route)) }
    case 'dns':
      return undefined
  }
}

/** A question as a DNS proxy has it: the name in lower case, without the last dot. */
export function question(name: string): Payload & { readonly kind: 'dns' } {
  return { kind: 'dns', query: name.toLowerCase().replace(/\.$/, '') }
}

/** A client that opens 443 of a host speaks TLS and says which host it means. */
function usualServerName({ to, port }: Flow): string | undefined {
  if (port !== 443 || !('host' in to) || parseAddress(to.host) !== undefined) return undefined
  return to.host.toLowerCase().replace(/\.$/, '')
}
