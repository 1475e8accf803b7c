/**
 * Plays the image docker.io/library/postgres: the same environment and arguments, a real PostgreSQL. This process is the
 * pod's: it listens on 5432, once PostgreSQL answers, and passes connections on.
 */
import { once } from 'node:events'
import { createRelay, PostgresError, startPostgres } from '@bulkhead/pocket-postgres'
import { ConfigError, readConfig } from './config.js'
import { whyNoLogin } from './login.js'

const port = 5432
/** Settings that are wrong; sysexits.h. */
const badConfig = 78
const failed = 1

const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** What to do about it on the local target, where the folder is a claim's. */
function advice(error: PostgresError): string {
  return error.code === 'version' || error.code === 'data-folder'
    ? ' On the local target `npx bulkhead up --fresh` empties it, with all that earlier runs left.'
    : ''
}

async function main(): Promise<number> {
  const asked = new AbortController()
  // SIGINT is what the image names as its stop signal, SIGTERM what a kubelet sends otherwise.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => asked.abort())
  const config = readConfig(process.env, process.argv.slice(2))
  const postgres = await startPostgres({ ...config, log: say })
  const stop = () => void postgres.stop()
  const relay = createRelay(postgres.socketPath)
  if (asked.signal.aborted) stop()
  else {
    asked.signal.addEventListener('abort', () => {
      relay.close()
      stop()
    })
    relay.listen(port, '0.0.0.0')
    await Promise.race([once(relay, 'listening'), postgres.ended])
    const why = postgres.fresh ? undefined : await whyNoLogin(postgres.host, config)
    if (why !== undefined) say(`postgres: ${why}`)
  }
  const { code, signal } = await postgres.ended
  if (asked.signal.aborted && code === 0) return 0
  say(`postgres: it ended by itself (${signal ?? `exit code ${code}`}); its last words are above.`)
  return failed
}

try {
  process.exit(await main())
} catch (error) {
  if (error instanceof PostgresError) say(`postgres: ${error.message}${advice(error)}`)
  else if (error instanceof ConfigError) say(`postgres: ${error.message}`)
  else say(`postgres: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(error instanceof ConfigError ? badConfig : failed)
}
