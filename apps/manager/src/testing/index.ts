// For the tests of the manager: the whole service in one process, and people who are logged in.
export {
  type As,
  type NewTestUser,
  startManager,
  type TestManager,
  type TestManagerOptions,
  type TestUser,
} from './manager.js'
export { ROOT, type TestMongo, testMongo } from './mongo.js'
export { sharedManager } from './shared.js'
