export { filterWith as filterOf } from '../query/pipeline/source.js'
