export {
  inspectOutside,
  inspectWith,
  kindNetwork,
  notOurOutside,
  type OutsideContainer,
  outsideLabel,
  outsideName,
  readInspected,
  removeOutside,
} from './container.js'
export { findOutside, type Outside, type OutsideState, outsideState } from './outside.js'
