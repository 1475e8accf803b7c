import type { Config } from './config.js'

/**
 * Logs in once as those who call will. The image takes user, password and database when the data is made and never again,
 * so that a Secret that was changed, or lost and made anew, opens nothing. Returns a sentence that says so, or undefined.
 */
export async function whyNoLogin(
  host: string,
  { user, password, database, dataDir }: Pick<Config, 'user' | 'password' | 'database' | 'dataDir'>,
): Promise<string | undefined> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ host, port: 5432, user, password, database, connectionTimeoutMillis: 5000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return undefined
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === '28P01')
      return `the data in "${dataDir}" knows another password, or no user ${JSON.stringify(user)}: the Secret has changed since the data was made, so that its clients will be refused. Give the Secret its old value, or change it in the database (ALTER ROLE ... PASSWORD), or make the data anew; on the local target \`npx bulkhead up --fresh\` does that.`
    if (code === '3D000')
      return `the data in "${dataDir}" has no database ${JSON.stringify(database)}: it was made with another name. Create it (CREATE DATABASE), or make the data anew; on the local target \`npx bulkhead up --fresh\` does that.`
    // Stopped meanwhile, for one; those who call will see for themselves.
    return undefined
  } finally {
    await client.end().catch(() => undefined)
  }
}
