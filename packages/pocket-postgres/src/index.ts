export type { Owner } from './data-folder.js'
export { PostgresError, type PostgresErrorCode } from './errors.js'
export { createRelay } from './relay.js'
export { type Exit, type Postgres, type PostgresOptions, startPostgres } from './server.js'
