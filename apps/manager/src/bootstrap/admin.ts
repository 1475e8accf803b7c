import { userStatus } from '../store/documents.js'
import { isDuplicateKey } from '../store/failures.js'
import { SYSTEM_ID } from '../store/migrations/list.js'
import { ADMIN_ROLE } from '../store/permissions.js'
import type { Store } from '../store/types.js'
import { newUserDoc } from '../users/documents.js'

/** Something that only running the migrations mends. */
export class NotMigratedError extends Error {
  override readonly name = 'NotMigratedError'
}

export interface FirstAdmin {
  readonly email: string
  readonly password: string
}

/**
 * Makes the first user, who may do everything, unless there is one of this name: whatever has become of him since, his
 * password and his roles stay. Active, without having to change the password, as the contract has it (1.5).
 *
 * @returns whether he was made
 * @throws NotMigratedError when there is no role `admin`
 */
export async function makeAdmin(
  store: Pick<Store, 'users' | 'roles'>,
  { email, password }: FirstAdmin,
  hash: (password: string) => Promise<string>,
): Promise<boolean> {
  const role = await store.roles.findOne({ name: ADMIN_ROLE }, { projection: { _id: 1 } })
  if (role === null)
    throw new NotMigratedError(
      `there is no role "${ADMIN_ROLE}" in the database: run the migrations first (migrate.js)`,
    )
  if ((await store.users.findOne({ username: email }, { projection: { _id: 1 } })) !== null) return false
  const phc = await hash(password)
  const admin = { username: email, phc, status: userStatus.active, roleIds: [role._id], by: SYSTEM_ID, now: Date.now() }
  try {
    await store.users.insertOne(newUserDoc(admin))
    return true
  } catch (error) {
    // Another replica, at the same moment.
    if (isDuplicateKey(error)) return false
    throw error
  }
}
