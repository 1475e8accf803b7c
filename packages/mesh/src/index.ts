export type { TunnelInfo } from './hbone-client.js'
export { Mesh } from './mesh.js'
export { startMesh } from './start.js'
export * from './types.js'
