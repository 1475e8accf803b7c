import { MongoError } from '../errors.js'
import type { Update } from '../query/update/update.js'

/** @throws MongoError NotImplemented */
export function pipelineUpdate(_stages: readonly unknown[]): Update {
  throw new MongoError('NotImplemented', 'an update by a pipeline is not supported by this server')
}
