export type { Gateway, GatewayTimeouts } from './gateway.js'
export { Gateways } from './gateways.js'
export { Doors } from './publish.js'
