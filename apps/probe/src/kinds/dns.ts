import resolver from 'node:dns/promises'
import { asFailure, Failure } from '../trace.js'
import type { Kind } from './kind.js'

/** A name's IPv4 addresses. `bytes` counts four for each. */
export const dns: Kind = async (trace) => {
  trace.phase = 'dns'
  const query = trace.attempt.dns?.query ?? trace.attempt.host
  const late = new Promise<never>((_, reject) => {
    trace.signal.addEventListener('abort', () => reject(asFailure(trace.signal.reason)), { once: true })
  })
  const addresses = await Promise.race([resolver.resolve4(query), late])
  trace.mark('dns')
  if (addresses.length === 0) throw new Failure('ENODATA', `${JSON.stringify(query)} has no IPv4 address`)
  trace.received(addresses.length * 4)
  return { detail: { addresses } }
}
