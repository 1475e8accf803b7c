export { startTestMongo, type TestMongo } from './start.js'
