export type * from './api.js'
export { ControlClient } from './client.js'
export { ControlError } from './wire.js'
