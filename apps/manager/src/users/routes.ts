import type { Identity } from '../auth/identity.js'
import type { Route } from '../http/route.js'
import { changeOwnPassword } from './change-own-password.js'
import { createUser } from './create-user.js'
import { listUsers } from './list-users.js'
import { resetPassword } from './reset-password.js'
import { self } from './self.js'
import { setPermissions } from './set-permissions.js'

export const userRoutes = (identity: Identity): Route[] =>
  [self, changeOwnPassword, createUser, listUsers, resetPassword, setPermissions].map((make) => make(identity))
