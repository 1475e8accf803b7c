import type { Document } from 'bson'
import { MongoError } from '../errors.js'
import { isPlain } from '../values/decode.js'

export interface Role {
  readonly role: string
  readonly db: string
}

/** What a command does to a database, as far as rights go. */
export type Action = 'read' | 'write' | 'structure' | 'users' | 'server'

/** MongoDB's built-in roles, those of them that are here ("Built-In Roles"): what each allows in its database. */
const allowed: Readonly<Record<string, readonly Action[]>> = {
  read: ['read'],
  readWrite: ['read', 'write'],
  dbAdmin: ['structure'],
  userAdmin: ['users'],
  dbOwner: ['read', 'write', 'structure', 'users'],
}

/** Everywhere, `root` does everything. It belongs to the database `admin`. */
export function grants(roles: readonly Role[], action: Action, db: string): boolean {
  return roles.some(
    ({ role, db: of }) => isRoot({ role, db: of }) || (of === db && allowed[role]?.includes(action) === true),
  )
}

export const isRoot = ({ role, db }: Role): boolean => role === 'root' && db === 'admin'

/**
 * Roles as commands name them: `'readWrite'` (of the command's database) or `{ role: 'readWrite', db: 'shop' }`.
 *
 * @throws MongoError BadValue, RoleNotFound
 */
export function readRoles(value: unknown, db: string): readonly Role[] {
  if (!Array.isArray(value)) throw new MongoError('BadValue', 'roles has to be an array')
  return value.map((item: unknown) => {
    const role: Role = typeof item === 'string' ? { role: item, db } : roleOf(item)
    const known = isRoot(role) || Object.hasOwn(allowed, role.role)
    if (!known) throw new MongoError('RoleNotFound', `Could not find role: ${role.role}@${role.db}`)
    return role
  })
}

function roleOf(item: unknown): Role {
  const { role, db }: Document = isPlain(item) ? item : {}
  if (typeof role !== 'string' || typeof db !== 'string' || db === '')
    throw new MongoError('BadValue', 'a role is a name, or { role: <name>, db: <database> }')
  return { role, db }
}
