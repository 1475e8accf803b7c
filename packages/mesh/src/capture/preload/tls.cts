import tls, { type TLSSocket } from 'node:tls'
import { sortArguments } from './arguments.cjs'

/** Marks the options of a TLS connect whose host and port are still to be asked for. */
export const CAPTURED: unique symbol = Symbol('bulkhead.captured')

/**
 * A TLS socket makes its transport's handle before it connects, a TCP one, and that cannot be connected to a slot.
 * With a `path` it makes a unix one: so tls.connect is told of a path, and everything about names stays as it was.
 */
export function installTls(): void {
  const connect = tls.connect as (...args: unknown[]) => TLSSocket
  tls.connect = ((...args: unknown[]): TLSSocket => {
    const sorted = sortArguments(args)
    // As Node: options after a port or a host win over both.
    const late = [args[1], args[2]].find((value) => typeof value === 'object' && value !== null)
    const options: Record<string | symbol, unknown> = { ...sorted.options, ...late }
    if (options.socket != null || options.path != null) return Reflect.apply(connect, tls, args)
    if (options.port === undefined) return Reflect.apply(connect, tls, args)
    const host = options.host
    // Node takes an empty host for localhost; with a path in the options it would not be looked at.
    const marked = {
      ...options,
      host: host == null || host === '' ? 'localhost' : host,
      path: 'captured',
      [CAPTURED]: true,
    }
    return sorted.callback === undefined ? connect(marked) : connect(marked, sorted.callback)
  }) as typeof tls.connect
}
