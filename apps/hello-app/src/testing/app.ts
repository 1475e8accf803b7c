import { setTimeout as sleep } from 'node:timers/promises'
import { createLog, type Service } from '@bulkhead/service-kit'
import { cleanUp, type Scope } from '@bulkhead/testing'
import { type AppDeps, createApp } from '../app.js'
import type { Check } from '../checks/check.js'
import type { Code } from '../checks/codes.js'
import { readHelloConfig } from '../config.js'

export interface TestApp {
  readonly service: Service
  readonly log: string[]
}

/** The app with these variables; everything of it goes with the test. */
export async function startApp(
  t: Scope,
  env: Readonly<Record<string, string>>,
  { shownPort, ...deps }: Pick<AppDeps, 'outside' | 'databaseOptions'> & { readonly shownPort?: number } = {},
): Promise<TestApp> {
  const lines: string[] = []
  const { config } = readHelloConfig({ LISTEN_ADDR: '127.0.0.1:0', ...env })
  const log = createLog({ name: 'hello-app', level: 'debug', write: (line) => lines.push(line) })
  const service = createApp({
    config: shownPort === undefined ? config : { ...config, listen: { ...config.listen, port: shownPort } },
    log,
    ...deps,
  })
  await service.listen(config.listen)
  cleanUp(t, () => service.close({ timeoutMs: 1_000 }))
  return { service, log: lines }
}

/** A host outside that is in this state, told after so long. */
export const outsideThatIs = (id: 'github' | 'cloudflare', code: Code, status?: number, tookMs = 0): Check => ({
  id,
  name: id === 'github' ? 'GitHub API' : 'Cloudflare API',
  target: id === 'github' ? 'api.github.com' : 'api.cloudflare.com',
  kind: 'outside',
  run: async () => {
    if (tookMs > 0) await sleep(tookMs)
    return { code, ...(status === undefined ? {} : { status }) }
  },
})
