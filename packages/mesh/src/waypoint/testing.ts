import type { IncomingHttpHeaders } from 'node:http'
import { Client } from 'undici'
import type { Rig } from '../testing/harness.js'

export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Requests of a pod's app, each on a connection of its own. */
export const caller =
  ({ capture }: Rig, host = 'web-api', port = 80) =>
  async (from: string, method: string, path: string, run = 'run'): Promise<Answered> => {
    const socket = await capture.connect(from, host, port, run)
    const client = new Client(`http://${host}`, {
      // Not at once: the client counts on an answer that comes later.
      connect: (_options, callback) => queueMicrotask(() => callback(null, socket)),
    })
    try {
      const { statusCode, headers, body } = await client.request({ method: method as 'GET', path, headers: { host } })
      return { status: statusCode, headers, body: await body.text() }
    } finally {
      await client.destroy()
    }
  }
