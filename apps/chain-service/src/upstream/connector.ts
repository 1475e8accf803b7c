import type { Socket } from 'node:net'
import { buildConnector } from 'undici'
import type { Ends } from './go-errors.js'

const ENDS = Symbol('ends of the connection')
const USED = Symbol('whether the connection had carried a response')

type Marked = Error & {
  [ENDS]?: Ends
  [USED]?: boolean
  socket?: {
    localAddress?: string
    localPort?: number
    remoteAddress?: string
    remotePort?: number
    bytesRead?: number
  } | null
}

/** undici's connector, which also writes on every error of a connection whose it was: by then the socket has forgotten. */
export function connector(timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMs })
  return (options, callback) => {
    connect(options, (...result) => {
      const [error, socket] = result
      if (error === null) mark(socket as Socket)
      callback(...result)
    })
  }
}

function mark(socket: Socket): void {
  const ends: Ends = {
    local: `${socket.localAddress}:${socket.localPort}`,
    remote: `${socket.remoteAddress}:${socket.remotePort}`,
  }
  socket.prependListener('error', (error: Marked) => {
    error[ENDS] = ends
    error[USED] = socket.bytesRead > 0
  })
}

export function endsOf(error: Marked): Ends | undefined {
  return error[ENDS]
}

/** Whether the failed connection had carried an earlier response; then nothing of this one can have arrived. */
export function wasUsedBefore(error: Marked): boolean {
  return error[USED] ?? (error.socket?.bytesRead ?? 0) > 0
}
