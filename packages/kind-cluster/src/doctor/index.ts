export {
  CANARY_FOLDER,
  type CanaryOptions,
  type CanaryReport,
  type CanaryStep,
  canaryNamespace,
  canarySteps,
  runCanary,
} from './canary.js'
export { type Cause, causeOf, knownCauses } from './causes.js'
export { checksFor, type ExamineOptions, examine } from './examine.js'
export { type KindConfig, readKindConfig } from './kind-config.js'
export { thisMachine } from './machine.js'
export { type Platform, platformOf } from './platform.js'
export { findingsJson, type Paint, renderFinding, summaryOf } from './render.js'
export type { Check, Finding, Ground, Judgement, Machine, Status } from './types.js'
