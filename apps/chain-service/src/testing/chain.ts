import type { AddressInfo, Server } from 'node:net'
import { createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { createLog, type Service } from '@bulkhead/service-kit'
import { cleanUp } from '@bulkhead/testing'
import { createApp } from '../app.js'
import { readChainConfig } from '../config.js'

export interface TestService {
  readonly service: Service
  readonly url: string
  readonly lines: readonly Record<string, unknown>[]
}

/** A service with this environment, listening on a port of its own until the test ends. */
export async function startService(t: TestContext, env: Record<string, string> = {}): Promise<TestService> {
  const lines: Record<string, unknown>[] = []
  const { config } = readChainConfig({ LISTEN_ADDR: '127.0.0.1:0', ...env })
  const log = createLog({
    name: config.NAME,
    level: config.LOG_LEVEL,
    write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
  })
  const service = createApp({ config, log })
  const { port } = await service.listen(config.LISTEN_ADDR)
  cleanUp(t, () => service.close({ timeoutMs: 1_000 }))
  return { service, url: `http://127.0.0.1:${port}`, lines }
}

/** A TCP server that treats each connection as it is told to. */
export async function startTcp(
  t: TestContext,
  onConnection: (socket: Socket) => void,
): Promise<{ url: string; server: Server; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
    onConnection(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUp(t, () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, sockets }
}

/** A raw HTTP answer, as a socket takes it. */
export function rawAnswer(status: string, body: string, headers: readonly string[] = []): string {
  return [`HTTP/1.1 ${status}`, `Content-Length: ${Buffer.byteLength(body)}`, ...headers, '', body].join('\r\n')
}
