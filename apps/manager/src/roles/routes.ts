import type { Identity } from '../auth/identity.js'
import type { Route } from '../http/route.js'
import { createRole } from './create-role.js'
import { deleteRole, deleteRoleByBody } from './delete-role.js'
import { listRoles } from './list-roles.js'
import { updateRole } from './update-role.js'

export const roleRoutes = (identity: Identity): Route[] =>
  [createRole, listRoles, updateRole, deleteRoleByBody, deleteRole].map((make) => make(identity))
