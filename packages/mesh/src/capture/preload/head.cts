import type { Socket } from 'node:net'

interface Pushing {
  push?(chunk: Buffer | null): boolean
}

/**
 * Takes what arrives on a socket before any reader sees it, and leaves the stream's state as if nothing had arrived:
 * neither flowing nor paused, no listener left behind. An http, tls or http2 server given the socket afterwards finds
 * it as fresh as the kernel's own. `take` gets null at the peer's end. The function returned gives the socket back,
 * with the bytes that were not ours.
 */
export function takeHead(socket: Socket, take: (chunk: Buffer | null) => void): (rest: Buffer) => void {
  const stream = socket as unknown as Pushing
  stream.push = (chunk) => {
    take(chunk)
    return true
  }
  return (rest) => {
    delete stream.push
    if (rest.length > 0) socket.push(rest)
  }
}
