/*
 * What the contract refuses, and with which words (1.3, 1.6, 1.15). Written down here a second time: the service's own table is what is tested.
 */

const table = {
  CREDENTIALS_REQUIRED: [422, 'Username and password are required'],
  LOGIN_FAILED: [401, 'invalid username or password'],
  AUTHORIZATION_MISSING: [401, 'Missing Authorization header'],
  AUTHORIZATION_MALFORMED: [401, 'Invalid Authorization header format'],
  TOKEN_INVALID: [401, 'Invalid or expired token'],
  TOKEN_OF_NOBODY: [401, 'user not found'],
  UNAUTHORIZED: [401, 'Unauthorized'],
  PASSWORD_WRONG: [401, 'invalid password'],
  PASSWORD_CHANGE_REQUIRED: [403, 'password change required'],
  PERMISSION_DENIED: [403, 'permission denied'],
  NOT_SELF: [403, 'forbidden'],
  OWN_PASSWORD: [403, 'Your own password is changed at /api/v1/users/self/password, with the old one.'],
  GRANT_EXCEEDS_OWN: [403, 'You can grant only what you hold yourself.'],
  USER_NOT_FOUND: [404, 'user not found'],
  ROLE_NOT_FOUND: [404, 'role not found'],
  ROLE_UNKNOWN: [422, 'role not found'],
  ROLES_NOT_FOUND: [400, 'Some roles not found'],
  NAME_TAKEN: [409, 'There is one of this name already.'],
  VERSION_CONFLICT: [409, 'It has been changed since it was read.'],
  LAST_ADMIN: [409, 'Nobody would be left who can administer users and roles.'],
  ROLE_BUILT_IN: [409, 'A built-in role can be neither renamed, emptied nor deleted.'],
  ROLE_IN_USE: [409, 'Users hold this role; take it from them first.'],
  STRATEGY_NOT_FOUND: [404, "strategy not found or you don't have permission to update it"],
  NO_PODS_MATCH: [404, 'no pods match the strategy criteria'],
  IDEMPOTENCY_KEY_REUSED: [409, 'This Idempotency-Key was used for another request.'],
  INTENT_IDS_REQUIRED: [400, 'At least one intent ID is required'],
  INTENTS_NOT_FOUND: [404, "one or more intents not found or you don't have permission to delete them"],
  NOT_ITS_NODE: [403, 'A scheduler reports of its own node and of no other.'],
  NOT_A_SCHEDULER: [409, 'There is no scheduler of this name on this node.'],
  NODE_NOT_FOUND: [404, 'node not found'],
  CLUSTER_UNKNOWN: [503, 'The Kubernetes API does not say what is in the cluster; try again later.'],
  SCHEDULER_MISSING: [503, 'No scheduler is known on this node.'],
  VALIDATION_FAILED: [422, 'The request has fields that are not valid.'],
} as const satisfies Readonly<Record<string, readonly [number, string]>>

export type RefusalCode = keyof typeof table

export const refusalCodes = Object.keys(table) as readonly RefusalCode[]

/** Thrown by the model where the contract refuses. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly code: RefusalCode
  readonly status: number

  constructor(code: RefusalCode, words: string = table[code][1]) {
    super(words)
    this.code = code
    this.status = table[code][0]
  }
}

export function refuse(code: RefusalCode, words?: string): never {
  throw new Refused(code, words)
}
