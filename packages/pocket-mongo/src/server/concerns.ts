import type { Fields } from '../commands/fields.js'
import { MongoError } from '../errors.js'
import { isNumeric } from '../values/numbers.js'
import { show } from '../values/show.js'

const levels = new Set(['local', 'available', 'majority', 'linearizable', 'snapshot'])

/**
 * Read and write concerns: with one member, all levels that there are hold for every command.
 *
 * @throws MongoError BadValue, UnsatisfiableWriteConcern, APIVersionError
 */
export function checkConcerns(fields: Fields): void {
  const level: unknown = fields.object('readConcern')?.level
  if (level !== undefined && !(typeof level === 'string' && levels.has(level)))
    throw new MongoError(
      'BadValue',
      `Enumeration value '${show(level)}' for field 'readConcern.level' is not a valid value.`,
    )
  const members: unknown = fields.object('writeConcern')?.w
  if (members !== undefined && members !== 'majority') {
    if (!isNumeric(members))
      throw new MongoError(
        'UnsatisfiableWriteConcern',
        `No write concern mode named '${show(members)}' found in replica set configuration`,
      )
    if (Number(members) > 1) throw new MongoError('UnsatisfiableWriteConcern', 'Not enough data-bearing nodes')
  }
  const version = fields.string('apiVersion')
  if (version !== undefined && version !== '1')
    throw new MongoError('APIVersionError', `API version must be "1", not ${JSON.stringify(version)}`)
}
