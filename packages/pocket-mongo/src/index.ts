export { type CodeName, codes, MongoError } from './errors.js'
