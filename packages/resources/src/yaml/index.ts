export { parseYaml } from './documents.js'
export { nodeAt } from './positions.js'
