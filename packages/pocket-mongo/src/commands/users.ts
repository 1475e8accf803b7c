import type { Document } from 'bson'
import { readRoles } from '../auth/roles.js'
import { MongoError } from '../errors.js'
import { isPlain } from '../values/decode.js'
import type { Call } from './call.js'
import type { Command } from './types.js'

const common = {
  digestPassword: 'bool',
  mechanisms: 'array',
  customData: 'refused',
  authenticationRestrictions: 'refused',
} as const

function nameOf(call: Call): string {
  const name: unknown = call.fields.any(call.command.name)
  if (typeof name !== 'string' || name.includes('\0'))
    throw new MongoError('TypeMismatch', `${call.command.name} takes a user's name`)
  return name
}

function checkMechanisms({ fields }: Call): void {
  if (fields.bool('digestPassword') === false)
    throw new MongoError('BadValue', 'Use of SCRAM-SHA-256 requires undigested passwords')
  for (const mechanism of fields.array('mechanisms') ?? []) {
    if (mechanism !== 'SCRAM-SHA-256')
      throw new MongoError(
        'BadValue',
        `the mechanism ${JSON.stringify(mechanism)} is not supported by this server: SCRAM-SHA-256 is`,
      )
  }
}

export const userCommands: readonly Command[] = [
  {
    name: 'createUser',
    fields: { ...common, createUser: 'string', pwd: 'string', roles: 'array' },
    need: 'users',
    async run(call) {
      const { db, fields, instance } = call
      checkMechanisms(call)
      const password = fields.required('pwd', fields.string('pwd'))
      const roles = readRoles(fields.required('roles', fields.array('roles')), db)
      await instance.users.create(db, nameOf(call), password, mayGrant(call, roles))
      return { ok: 1 }
    },
  },
  {
    name: 'updateUser',
    fields: { ...common, updateUser: 'string', pwd: 'string', roles: 'array' },
    need: 'users',
    async run(call) {
      const { db, fields, instance } = call
      checkMechanisms(call)
      const password = fields.string('pwd')
      const list = fields.array('roles')
      if (password === undefined && list === undefined)
        throw new MongoError('BadValue', 'Must specify at least one field to update in updateUser')
      const roles = list === undefined ? undefined : mayGrant(call, readRoles(list, db))
      await instance.users.update(db, nameOf(call), { password, roles })
      return { ok: 1 }
    },
  },
  {
    name: 'dropUser',
    fields: { dropUser: 'string' },
    need: 'users',
    async run(call) {
      await call.instance.users.drop(call.db, nameOf(call))
      return { ok: 1 }
    },
  },
  {
    name: 'usersInfo',
    fields: {
      usersInfo: 'any',
      showCredentials: 'refused',
      showPrivileges: 'refused',
      showCustomData: 'bool',
      filter: 'refused',
    },
    need: 'users',
    run(call) {
      const { db, instance } = call
      const users = instance.users.of(db).filter(asked(call.fields.any('usersInfo'), db))
      return {
        users: users.map(
          ({ id, name, db: of, roles }): Document => ({
            _id: id,
            user: name,
            db: of,
            roles: roles.map((role) => ({ ...role })),
            mechanisms: ['SCRAM-SHA-256'],
          }),
        ),
        ok: 1,
      }
    },
  },
]

/** 1: all of this database; a name; `{ user, db }`; or a list of those. Other databases' users are not told. */
function asked(which: unknown, db: string): (user: { readonly name: string; readonly db: string }) => boolean {
  if (Array.isArray(which)) {
    const tests = which.map((one: unknown) => asked(one, db))
    return (user) => tests.some((test) => test(user))
  }
  if (typeof which === 'string') return (user) => user.name === which
  if (isPlain(which)) return (user) => user.name === which.user && user.db === which.db
  return () => true
}

/** Who may make users of one database cannot give them rights in another. @throws MongoError Unauthorized */
function mayGrant(call: Call, roles: ReturnType<typeof readRoles>): ReturnType<typeof readRoles> {
  const { instance, connection } = call
  if (!instance.auth) return roles
  const user = connection.user === undefined ? undefined : instance.users.byId(connection.user)
  for (const { role, db } of roles) {
    const may = user?.roles.some(
      (own) =>
        (own.role === 'root' && own.db === 'admin') || (own.db === db && ['userAdmin', 'dbOwner'].includes(own.role)),
    )
    if (may !== true || (role === 'root' && user?.roles.every((own) => own.role !== 'root')))
      throw new MongoError('Unauthorized', `not authorized to grant role: ${role}@${db}`)
  }
  return roles
}
