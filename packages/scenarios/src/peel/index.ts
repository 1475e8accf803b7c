export { peelByEngine } from './engine.js'
export { type PeelJson, peelJson } from './json.js'
export { holdsNothing, peel } from './peel.js'
export { type PeelRenderOptions, renderPeel } from './render.js'
export {
  HalfThere,
  type LayeredTarget,
  NotPutBack,
  type PeelRunOptions,
  peelOnTarget,
  type SwitchedLayer,
} from './run.js'
export { type Setting, settingsOf, settingText } from './settings.js'
export type * from './types.js'
