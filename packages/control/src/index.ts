export { resourceTold } from './admission.js'
export type * from './api.js'
export { ControlClient } from './client.js'
export { ControlError } from './wire.js'
