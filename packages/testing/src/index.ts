// For tests alone: nothing that runs anywhere else may import it.
export { cleanUp, type Scope, wholeSuite } from './clean-up.js'
export { eventually } from './eventually.js'
export { plainFolder, temporaryFolder } from './folder.js'
export { killed } from './process.js'
