import { grants } from '../auth/roles.js'
import { compileFilter } from '../query/filter.js'
import { MAX_DOCUMENT_BYTES } from '../wire/limits.js'
import type { Call } from './call.js'
import { VERSION } from './hello.js'
import type { Command } from './types.js'

export const diagnostics: readonly Command[] = [
  { name: 'ping', fields: {}, need: 'nothing', anyState: true, run: () => ({ ok: 1 }) },
  {
    name: 'buildInfo',
    aliases: ['buildinfo'],
    fields: {},
    need: 'nothing',
    anyState: true,
    run: () => ({
      version: VERSION,
      versionArray: [...VERSION.split('.').map(Number), 0],
      gitVersion: 'pocket-mongo',
      modules: [],
      bits: 64,
      debug: false,
      maxBsonObjectSize: MAX_DOCUMENT_BYTES,
      storageEngines: ['pocket'],
      ok: 1,
    }),
  },
  {
    name: 'connectionStatus',
    fields: { showPrivileges: 'bool' },
    need: 'nothing',
    anyState: true,
    run: ({ instance, connection }) => {
      const user = connection.user === undefined ? undefined : instance.users.byId(connection.user)
      return {
        authInfo: {
          authenticatedUsers: user === undefined ? [] : [{ user: user.name, db: user.db }],
          authenticatedUserRoles: user === undefined ? [] : user.roles.map((role) => ({ ...role })),
        },
        ok: 1,
      }
    },
  },
  {
    name: 'getParameter',
    fields: { featureCompatibilityVersion: 'any' },
    need: 'server',
    adminOnly: true,
    anyState: true,
    run: () => ({ featureCompatibilityVersion: { version: VERSION.replace(/\.\d+$/, '') }, ok: 1 }),
  },
  {
    name: 'listDatabases',
    fields: { filter: 'object', nameOnly: 'bool', authorizedDatabases: 'bool' },
    need: 'login',
    adminOnly: true,
    run: listDatabases,
  },
]

/** Those that the user may read; a user of one database learns nothing of the others. */
function listDatabases(call: Call) {
  const { instance, connection, fields } = call
  const user = connection.user === undefined ? undefined : instance.users.byId(connection.user)
  const seen = call.read((unit) =>
    unit.databases().map((database) => ({ ...database, empty: unit.collections(database.name).length === 0 })),
  )
  const filter = compileFilter(fields.object('filter') ?? {})
  const databases = seen
    .filter(({ name }) => !instance.auth || (user !== undefined && grants(user.roles, 'read', name)))
    .filter((database) => filter(database))
    .map(({ name, sizeOnDisk, empty }) => (fields.bool('nameOnly') === true ? { name } : { name, sizeOnDisk, empty }))
  const totalSize = seen.reduce((sum, { sizeOnDisk }) => sum + sizeOnDisk, 0)
  return { databases, ...(fields.bool('nameOnly') === true ? {} : { totalSize }), ok: 1 }
}
