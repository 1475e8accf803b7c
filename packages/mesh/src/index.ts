export { withGrant } from './capture/index.js'
export type { Mesh } from './mesh.js'
export { startMesh } from './start.js'
export * from './types.js'
