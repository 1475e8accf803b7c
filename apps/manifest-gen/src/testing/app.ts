import { createLog, type Service } from '@bulkhead/service-kit'
import { cleanUp, type Scope } from '@bulkhead/testing'
import { createApp } from '../app.js'
import { readGeneratorConfig } from '../config.js'

/** Repositories, and one whole name. */
export const IMAGES = 'localhost/bulkhead/probe,localhost/bulkhead/chain-service,docker.io/library/postgres:18.6'

/** A description that holds, with no more than it needs to. */
export const smallest = { name: 'worker-app', namespace: 'demo', image: 'localhost/bulkhead/probe:0.1.0' }

export interface TestApp {
  readonly service: Service
  readonly url: string
  readonly log: readonly string[]
}

/** The service as it runs, on a port of its own; everything of it goes with the test. */
export async function startApp(t: Scope): Promise<TestApp> {
  const lines: string[] = []
  const { values: config } = readGeneratorConfig({ LISTEN_ADDR: '127.0.0.1:0', ALLOWED_IMAGES: IMAGES })
  const log = createLog({ name: 'manifest-gen', level: 'debug', write: (line) => lines.push(line) })
  const service = createApp({ config, log })
  const { port } = await service.listen(config.LISTEN_ADDR)
  cleanUp(t, () => service.close({ timeoutMs: 1_000 }))
  return { service, url: `http://127.0.0.1:${port}`, log: lines }
}
