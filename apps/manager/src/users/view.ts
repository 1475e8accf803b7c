import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { UserDoc } from '../store/documents.js'
import type { Store } from '../store/types.js'

/** A user as the API shows him: roles by their names. */
export const userView = z.object({
  id: z.string(),
  username: z.string(),
  roles: z.array(z.string()),
  status: z.int(),
  version: z.int(),
})

/** Of a user, what is shown: never the password. */
export const shown = { username: 1, roleIds: 1, status: 1, version: 1 } as const
export type ShownUser = Pick<UserDoc, '_id' | keyof typeof shown>

/** The users as they are shown; a role that is gone is not shown. */
export async function viewUsers(store: Store, users: readonly ShownUser[]): Promise<z.infer<typeof userView>[]> {
  const ids = new Map<string, ObjectId>()
  for (const { roleIds } of users) for (const id of roleIds) ids.set(id.toHexString(), id)
  const names = new Map<string, string>()
  if (ids.size > 0) {
    const roles = store.roles.find({ _id: { $in: [...ids.values()] } }, { projection: { name: 1 } })
    for await (const { _id, name } of roles) names.set(_id.toHexString(), name)
  }
  return users.map(({ _id, username, roleIds, status, version }) => ({
    id: _id.toHexString(),
    username,
    roles: roleIds.flatMap((id) => names.get(id.toHexString()) ?? []),
    status: Number(status),
    version: Number(version),
  }))
}
