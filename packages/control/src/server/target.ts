import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ClusterError, LocalCluster, type LocalClusterOptions } from '@bulkhead/local-cluster'
import { createApp } from './app.js'

export interface TargetOptions extends LocalClusterOptions {
  /** Of the API on 127.0.0.1; 0 for any. */
  readonly port: number
}

/** A local target and its API. */
export interface RunningTarget {
  readonly cluster: LocalCluster
  readonly url: string
  /** Resolves when a client asks the target to end. */
  readonly asked: Promise<void>
  /** Ends all of it. `graceMs` bounds the pods' own grace periods. */
  stop(options?: { readonly graceMs?: number }): Promise<void>
}

function portError(port: number, code: string): ClusterError {
  const why = code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be opened (${code})`
  return new ClusterError(
    'port-in-use',
    `port ${port} on 127.0.0.1 ${why}. Name another with --port N; --port 0 takes any that is free: \`npm start -- --port 0\`.`,
  )
}

/**
 * Starts a local target and its API. The port is taken before anything is started, and given back when the start fails.
 *
 * @throws ClusterError as LocalCluster.start, and `port-in-use`.
 */
export async function startTarget(options: TargetOptions): Promise<RunningTarget> {
  const token = randomBytes(32).toString('hex')
  let cluster: LocalCluster | undefined
  let shutdown: () => void = () => undefined
  const asked = new Promise<void>((resolve) => {
    shutdown = resolve
  })
  let port = 0
  const server = createServer(createApp({ token, port: () => port, cluster: () => cluster, shutdown }))
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  let url = ''
  try {
    cluster = await LocalCluster.start({
      ...options,
      claimed: async () => {
        server.listen(options.port, '127.0.0.1')
        await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
          throw portError(options.port, error.code ?? error.message)
        })
        port = (server.address() as AddressInfo).port
        await options.claimed?.()
      },
    })
    url = `http://127.0.0.1:${port}`
    cluster.publish({ url, token })
  } catch (error) {
    close()
    await cluster?.stop()
    throw error
  }
  const running = cluster
  return {
    cluster,
    url,
    asked,
    async stop(stopOptions) {
      // Streams end first: a client that follows learns that it is over.
      close()
      await running.stop(stopOptions)
    },
  }
}
