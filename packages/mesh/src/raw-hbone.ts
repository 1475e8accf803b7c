import type { Carrier, Ends } from './carrier.js'
import type { Context } from './context.js'
import type { Flow } from './flows.js'
import { dial, TunnelError } from './hbone-session.js'
import { HBONE_PORT, wireName } from './inbound.js'
import type { Station } from './network.js'
import { writeHeader } from './proxy-header.js'
import { type End, resettable, splice } from './splice.js'

export interface RawParts {
  readonly context: Context
  readonly carrier: Carrier
  readonly token: Buffer
}

/** A connection to a pod's HBONE port as it is: the client speaks TLS itself, with whatever certificate it has. */
export async function carryRaw(
  { context, carrier, token }: RawParts,
  flow: Flow,
  { source, to, path }: { readonly source: Station; readonly to: Station; readonly path: string },
  ends: Ends,
  client: End,
): Promise<void> {
  const { raw, connectTimeoutMs } = context
  flow.transport = 'hbone'
  const forget = carrier.watch(flow, { source, to, port: HBONE_PORT }, () => client.reset())
  if (forget === undefined) return
  // The destination's side finds the flow by this name, and tells it why it refused the handshake, or of a stream.
  const name = wireName(ends.local)
  const tunnels = { flow, streams: 0 }
  raw.set(name, tunnels)
  try {
    const socket = await dial(path, connectTimeoutMs, true)
    flow.arrived()
    socket.write(writeHeader(token, ends.local, ends.remote))
    await splice(client, resettable(socket))
    if (tunnels.streams > 0) flow.drop()
  } catch (error) {
    if (!(error instanceof TunnelError)) throw error
    flow.fail({ flag: 'CONNECT', symptom: 'reset', error: error.message })
    client.reset()
  } finally {
    forget()
    raw.delete(name)
  }
}
