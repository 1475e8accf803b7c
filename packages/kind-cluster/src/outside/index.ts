export {
  inspectOutside,
  inspectWith,
  kindNetwork,
  notOurOutside,
  outsideLabel,
  outsideName,
  readInspected,
  removeOutside,
} from './container.js'
export { findOutside, type Outside, type OutsideState, outsideState } from './outside.js'
