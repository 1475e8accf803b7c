export { type Explanation, explain } from './explain.js'
export { smallestFix } from './fix/fix.js'
export { renderFix } from './fix/render.js'
export type { Edit, Fix } from './fix/types.js'
