export {
  createOutside,
  type OutsideHost,
  type OutsideMode,
  type OutsideOptions,
  type RunningOutside,
} from './outside.js'
