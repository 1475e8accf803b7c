import { type Document, Long, ObjectId } from 'bson'
import { MongoError } from '../errors.js'
import { SESSION_MINUTES } from '../sessions/sessions.js'
import { isPlain } from '../values/decode.js'
import { MAX_DOCUMENT_BYTES, MAX_MESSAGE_BYTES, MAX_WRITE_BATCH } from '../wire/limits.js'
import type { Call } from './call.js'
import { saslStart } from './sasl.js'
import type { Command } from './types.js'

/** What a driver may take this server for: MongoDB 7.0 as far as the protocol goes. */
const MAX_WIRE_VERSION = 21
export const VERSION = '7.0.0'

export const hello: Command = {
  name: 'hello',
  aliases: ['isMaster', 'ismaster'],
  fields: {},
  lenient: true,
  need: 'nothing',
  anyState: true,
  run: async (call) => {
    await awaited(call)
    return answer(call)
  },
}

function answer(call: Call): Document {
  return {
    helloOk: true,
    ...topology(call),
    topologyVersion: call.instance.topology.version,
    maxBsonObjectSize: MAX_DOCUMENT_BYTES,
    maxMessageSizeBytes: MAX_MESSAGE_BYTES,
    maxWriteBatchSize: MAX_WRITE_BATCH,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: SESSION_MINUTES,
    connectionId: call.connection.id,
    minWireVersion: 0,
    maxWireVersion: MAX_WIRE_VERSION,
    readOnly: false,
    // The same whether there is such a user or not.
    ...(call.fields.string('saslSupportedMechs') === undefined ? {} : { saslSupportedMechs: ['SCRAM-SHA-256'] }),
    ...speculative(call),
    ok: 1,
  }
}

/**
 * Whoever knows what this server is waits until it has become something else (`topologyVersion`), or for so long
 * (`maxAwaitTimeMS`): drivers hear of a change when it happens.
 */
async function awaited({ instance, connection, fields }: Call): Promise<void> {
  const known = fields.any('topologyVersion')
  const wait = fields.any('maxAwaitTimeMS')
  if (known === undefined && wait === undefined) return
  if (known === undefined)
    throw new MongoError('Location31368', "A request with 'maxAwaitTimeMS' must include a 'topologyVersion'")
  if (wait === undefined)
    throw new MongoError('Location31368', "A request with a 'topologyVersion' must include 'maxAwaitTimeMS'")
  const ms = fields.count('maxAwaitTimeMS')
  const { processId, counter } = isPlain(known) ? known : {}
  if (ms === undefined || !(processId instanceof ObjectId) || !Long.isLong(counter))
    throw new MongoError(
      'TypeMismatch',
      "'topologyVersion' has to be { processId: <ObjectId>, counter: <long> }, and 'maxAwaitTimeMS' a number",
    )
  if (counter.isNegative()) throw new MongoError('Location31372', 'topologyVersion must have a non-negative counter')
  await instance.topology.newerThan({ processId, counter }, ms, connection.ended)
}

function topology({ instance: { replicaSet }, connection, fields }: Call): Document {
  const [asked = ''] = Object.keys(fields.document)
  const word = asked === 'hello' ? 'isWritablePrimary' : 'ismaster'
  if (replicaSet === undefined) return { [word]: true }
  if (!replicaSet.isPrimary)
    return { [word]: false, secondary: false, isreplicaset: true, info: 'Does not have a valid replica set config' }
  const me = replicaSet.memberAt(connection.dialled)
  return {
    [word]: true,
    secondary: false,
    setName: replicaSet.name,
    setVersion: 1,
    hosts: [me],
    primary: me,
    me,
    lastWrite: { lastWriteDate: new Date(), opTime: { ts: Long.ONE, t: Long.ONE } },
  }
}

/** The first step of a login, sent along to save a round trip. When it fails there is no word of it, and the driver begins again. */
function speculative(call: Call): Document {
  const asked: unknown = call.fields.any('speculativeAuthenticate')
  if (!isPlain(asked)) return {}
  try {
    return { speculativeAuthenticate: saslStart(call, asked) }
  } catch {
    return {}
  }
}
