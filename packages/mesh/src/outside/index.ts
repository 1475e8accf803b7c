export { createServerCa, type OutsideCa, type ServerCaOptions } from './ca.js'
export {
  createOutside,
  type OutsideHost,
  type OutsideMode,
  type OutsideOptions,
  type RunningOutside,
} from './outside.js'
