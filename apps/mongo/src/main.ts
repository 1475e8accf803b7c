/**
 * Plays the image docker.io/library/mongo: the same environment and arguments, with pocket-mongo. This process is the
 * pod's: it listens on 27017 as soon as what was kept has been read.
 */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { startMongo } from '@bulkhead/pocket-mongo'
import { ConfigError, readConfig } from './config.js'

/** Settings that are wrong; sysexits.h. */
const badConfig = 78
const failed = 1

const say = (text: string): void => void process.stderr.write(`${text}\n`)

async function main(): Promise<void> {
  // SIGTERM is what a kubelet sends, SIGINT what a terminal does.
  const asked = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => asked.abort())
  const { dataDir, host, port, root, replicaSet } = readConfig(process.env, process.argv.slice(2))
  const mongo = await startMongo({
    dataDir,
    root,
    auth: true,
    ...(replicaSet === undefined ? {} : { replicaSet }),
    log: ({ message, fields }) => say(fields === undefined ? message : `${message} ${JSON.stringify(fields)}`),
  })
  try {
    if (asked.signal.aborted) return
    mongo.server.listen(port, host)
    await once(mongo.server, 'listening')
    const { address, port: taken } = mongo.server.address() as AddressInfo
    say(`mongo: listening on ${address}:${taken}`)
    if (!asked.signal.aborted) await once(asked.signal, 'abort')
  } finally {
    await mongo.close()
  }
}

try {
  await main()
  process.exit(0)
} catch (error) {
  say(`mongo: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(error instanceof ConfigError ? badConfig : failed)
}
