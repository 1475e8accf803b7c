import { type Document, Long } from 'bson'
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
  run: (call) => ({
    helloOk: true,
    ...topology(call),
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
  }),
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
