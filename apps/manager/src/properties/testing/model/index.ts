import * as looking from './looking.js'
import * as people from './people.js'
import * as plans from './plans.js'
import * as roles from './roles.js'
import * as schedulers from './schedulers.js'

/** What each operation of the API is to do, by its id in the OpenAPI document. */
export const rules = {
  login: people.login,
  getSelf: people.getSelf,
  changeOwnPassword: people.changeOwnPassword,
  createUser: people.createUser,
  listUsers: people.listUsers,
  resetPassword: people.resetPassword,
  setUserPermissions: people.setUserPermissions,
  createRole: roles.createRole,
  updateRole: roles.updateRole,
  deleteRole: roles.deleteRole,
  deleteRoleByBody: roles.deleteRole,
  listRoles: roles.listRoles,
  listPermissions: roles.listPermissions,
  createStrategy: plans.createStrategy,
  updateStrategy: plans.updateStrategy,
  deleteStrategy: plans.deleteStrategy,
  deleteStrategyByBody: plans.deleteStrategy,
  getStrategy: plans.getStrategy,
  listStrategies: plans.listStrategies,
  listIntents: plans.listIntents,
  deleteIntent: plans.deleteIntents,
  deleteIntents: plans.deleteIntents,
  listNodes: looking.listNodes,
  listNodeProcesses: looking.listNodeProcesses,
  reportScheduler: schedulers.reportScheduler,
  listSchedulers: schedulers.listSchedulers,
  listAudit: looking.listAudit,
} as const

export type Operation = keyof typeof rules
/** What a call of an operation brings along. */
export type InputOf<O extends Operation> = Parameters<(typeof rules)[O]['does']>[1]
