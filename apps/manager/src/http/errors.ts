import { defineErrors } from '@bulkhead/service-kit'

/** What this API refuses, and with which words: the messages are the contract's. */
export const managerErrors = defineErrors({
  INVALID_BODY: { status: 400, message: 'Invalid request body' },
  ROLES_NOT_FOUND: { status: 400, message: 'Some roles not found' },
  STRATEGY_ID_REQUIRED: { status: 400, message: 'Strategy ID is required' },
  INTENT_IDS_REQUIRED: { status: 400, message: 'At least one intent ID is required' },
  AUTHORIZATION_MISSING: { status: 401, message: 'Missing Authorization header' },
  AUTHORIZATION_MALFORMED: { status: 401, message: 'Invalid Authorization header format' },
  TOKEN_INVALID: { status: 401, message: 'Invalid or expired token' },
  LOGIN_FAILED: { status: 401, message: 'invalid username or password' },
  PASSWORD_WRONG: { status: 401, message: 'invalid password' },
  PASSWORD_CHANGE_REQUIRED: { status: 403, message: 'password change required' },
  PERMISSION_DENIED: { status: 403, message: 'permission denied' },
  NOT_SELF: { status: 403, message: 'forbidden' },
  USER_NOT_FOUND: { status: 404, message: 'user not found' },
  ROLE_NOT_FOUND: { status: 404, message: 'role not found' },
  STRATEGY_NOT_FOUND: { status: 404, message: "strategy not found or you don't have permission to update it" },
  INTENTS_NOT_FOUND: {
    status: 404,
    message: "one or more intents not found or you don't have permission to delete them",
  },
  NO_PODS_MATCH: { status: 404, message: 'no pods match the strategy criteria' },
  NODE_NOT_FOUND: { status: 404, message: 'node not found' },
  NAME_TAKEN: { status: 409, message: 'There is one of this name already.' },
  VERSION_CONFLICT: { status: 409, message: 'It has been changed since it was read.' },
  VALIDATION_FAILED: { status: 422, message: 'The request has fields that are not valid.' },
})
