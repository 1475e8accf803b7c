export { type CodeName, codes, MongoError } from './errors.js'
export { openStore } from './store/open.js'
export type { Store, StoreOptions } from './store/types.js'
