export {
  ASSERTION_SECONDS,
  Assertions,
  audienceOf,
  CLOCK_TOLERANCE_SECONDS,
  managerTo,
  type Statement,
  schedExtOf,
  schedulerOf,
  signStatement,
  type VerifyOptions,
  verifyStatement,
} from './assertions.js'
export {
  type CommandRegex,
  MAX_COMMAND_LINE,
  MAX_REGEX_LENGTH,
  MAX_REGEX_PROGRAM,
  readCommandRegex,
} from './command-regex.js'
export { readPrivateKey, readPublicKey } from './keys.js'
export {
  EXECUTION_TIME,
  MAX_EXPRESSIONS,
  MAX_INTENTS,
  MAX_LABELS,
  MAX_SET_BYTES,
  NO_INTENTS,
  PRIORITY,
} from './limits.js'
export { EMPTY_ROOT, inOrder, leafHash, leafText, merkleRoot } from './merkle.js'
export { type SchedulerMetricName, schedulerMetricNames } from './metrics.js'
export { readIntentSet, type SetProblem } from './read-set.js'
export { intentSchema, schedulerReportSchema, uint64 } from './schemas.js'
export * from './types.js'
