import { defineErrors } from '@bulkhead/service-kit'

/** What this API refuses, and with which words: the messages are the contract's where it has one. */
export const schedulerErrors = defineErrors({
  INVALID_BODY: { status: 400, message: 'Invalid request payload' },
  POD_ID_REQUIRED: { status: 400, message: "PodID is required when 'all' is false" },
  AUTHORIZATION_MISSING: { status: 401, message: 'Authorization header is required' },
  AUTHORIZATION_MALFORMED: { status: 401, message: "Authorization header must start with 'Bearer '" },
  TOKEN_INVALID: { status: 401, message: 'Invalid or expired token' },
  PUBLIC_KEY_REFUSED: { status: 401, message: 'Public key verification failed' },
  ASSERTION_REFUSED: { status: 401, message: 'The client assertion is not valid' },
  CALLER_REFUSED: { status: 403, message: 'This is not for the one who says it.' },
  VERSION_PASSED: { status: 409, message: 'A later set is in force.' },
  VERSION_TAKEN: { status: 409, message: 'Another set is in force under this version.' },
  SET_INVALID: { status: 422, message: 'The set has intents that are not valid' },
  STRATEGIES_UNKNOWN: { status: 500, message: 'Failed to list scheduling intents' },
  PROCESSES_UNKNOWN: { status: 500, message: 'Failed to read the processes of this node' },
})
