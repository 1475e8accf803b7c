import type { Duplex } from 'node:stream'
import type { Client } from 'undici'
import type { Attempt, Connector } from './connector.js'
import { Upstream } from './upstream.js'
import type { Way } from './way.js'

export interface UpstreamParts {
  readonly connector: Connector
  /** undici's Client. */
  readonly client: typeof Client
}

/**
 * A proxy's connections to what is behind it, as requests go over them. They are kept between requests, for the same pod
 * and port of the same Service (which decides over waypoints), and no longer than the policies let them.
 */
export class Upstreams {
  readonly #parts: UpstreamParts
  readonly #idle = new Map<string, Upstream[]>()
  #closed = false

  constructor(parts: UpstreamParts) {
    this.#parts = parts
  }

  /** One that is open already, the last used first. */
  take(way: Way): Upstream | undefined {
    const idle = this.#idle.get(nameOf(way))
    for (let found = idle?.pop(); found !== undefined; found = idle?.pop()) {
      if (found.usable && goesAs(found.way, way)) return found
      found.close()
    }
    return undefined
  }

  /** To be called when its request is over, and nothing is left of it on the connection. */
  giveBack(upstream: Upstream) {
    upstream.flow.behind(NONE)
    if (this.#closed || !upstream.usable || upstream.old) return upstream.close()
    const name = nameOf(upstream.way)
    const idle = this.#idle.get(name)
    if (idle === undefined) this.#idle.set(name, [upstream])
    else idle.push(upstream)
  }

  open(way: Way): Attempt<Upstream> {
    const { connector, client } = this.#parts
    const { flow, ready } = connector.open(way)
    const wrapped = ready.then((socket: Duplex) => new Upstream(client, way, flow, socket))
    // Whoever asked may have gone.
    wrapped.catch(() => {})
    return { flow, ready: wrapped }
  }

  close(): void {
    this.#closed = true
    this.#parts.connector.close()
  }
}

const NONE: readonly [] = []

/** Policies that have changed may take the same way by other means: through a waypoint, or no longer through the mesh. */
function goesAs(was: Way, is: Way): boolean {
  const [before, now] = [was.hop, is.hop]
  if (before === now) return true
  const { waypoint } = now
  return (
    now.unread === undefined &&
    now.transport === before.transport &&
    waypoint?.key === before.waypoint?.key &&
    waypoint?.target.ip === before.waypoint?.target.ip &&
    waypoint?.target.port === before.waypoint?.target.port &&
    is.pod.ip === was.pod.ip &&
    is.from.identity === was.from.identity
  )
}

const nameOf = ({ pod, port, service }: Way): string => `${service?.key ?? ''} ${pod.key} ${port}`
