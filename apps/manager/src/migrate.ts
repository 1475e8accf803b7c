/**
 * The program of the init container: waits for the database, makes its replica set, the service's user and the
 * collections, and ends. It alone has the root password; the service runs with rights in its own database only.
 */
import { createLog, main, randomHex } from '@bulkhead/service-kit'
import { prepareReplicaSet, prepareUser } from './bootstrap/database.js'
import { readMigrateConfig } from './config.js'
import { createClient, HEARTBEAT_TIMEOUT_MS } from './store/client.js'
import { Connection } from './store/connection.js'
import { latestVersion, migrate } from './store/migrations/run.js'

await main(async () => {
  const { config, values, effective } = readMigrateConfig()
  const log = createLog({ name: 'manager-migrate', level: values.LOG_LEVEL, format: values.LOG_FORMAT })
  log.log.info({ config: effective }, 'starting')
  const note = (text: string): void => log.log.info(text)
  const { mongo, root, replicaSet, timeoutMs } = config
  // Indexes of collections that hold much take longer than a request may.
  const connection = new Connection({
    make: () => createClient({ ...mongo, ...root }, { authSource: 'admin', socketTimeoutMS: timeoutMs }),
    heartbeatMs: HEARTBEAT_TIMEOUT_MS,
    note,
  })
  try {
    await prepareReplicaSet(connection, replicaSet, { timeoutMs, note })
    const { client } = connection
    note(`the user ${mongo.user}: ${await prepareUser(client, mongo)}`)
    await migrate(client.db(mongo.database), { owner: randomHex(8), waitMs: timeoutMs, note })
    note(`the database is at version ${latestVersion}`)
  } finally {
    await connection.close()
    log.flush()
  }
})
