export { type ApplyOptions, applyConfiguration } from './apply-configuration.js'
export { applyJsonPatch, type JsonPatchOptions } from './json-patch.js'
export { type StrategicOptions, strategicMerge } from './strategic.js'
export { PatchError } from './value.js'
