import { BSONError, type Document } from 'bson'
import { grants } from '../auth/roles.js'
import { Call } from '../commands/call.js'
import { checkFields, Fields } from '../commands/fields.js'
import { commandNamed } from '../commands/table.js'
import type { Command } from '../commands/types.js'
import { type Connection, errorReply } from '../connection/connection.js'
import { MongoError } from '../errors.js'
import { type Session, Sessions } from '../sessions/sessions.js'
import { show } from '../values/show.js'
import type { Message } from '../wire/message.js'
import type { Reply } from '../wire/reply.js'
import { checkConcerns } from './concerns.js'
import { inSession } from './in-session.js'
import type { Instance } from './instance.js'
import { sessionId } from './session-id.js'

/** Runs what a message asks for. Never rejects: a failure is an answer. */
export async function dispatch(instance: Instance, message: Message, connection: Connection): Promise<Reply> {
  const [name = ''] = Object.keys(message.body)
  try {
    const command = commandNamed(name)
    if (command === undefined) throw new MongoError('CommandNotFound', `no such command: '${show(name)}'`)
    const needsLogin = instance.auth && command.need !== 'nothing'
    if (needsLogin && connection.user === undefined)
      throw new MongoError('Unauthorized', `Command ${command.name} requires authentication`)
    checkFields(name, message.body, command.lenient === true ? undefined : command.fields)
    if (command.adminOnly === true && message.db !== 'admin')
      throw new MongoError('Unauthorized', `${command.name} may only be run against the admin database.`)
    refuseSystem(command, message)
    authorize(instance, command, message, connection)
    checkState(instance, command)
    checkConcerns(new Fields(message.body, name))
    const call = new Call({
      command,
      body: message.body,
      db: message.db,
      instance,
      connection,
      session: sessionOf(instance, message.body, connection),
    })
    return await inSession(call)
  } catch (error) {
    const failure = asMongoError(error, instance, name)
    if (failure.codeName === 'NotImplemented' || failure.codeName === 'CommandNotFound')
      instance.log({
        level: 'warn',
        message: `refused: ${show(failure.message)}`,
        fields: { command: show(name), code: failure.code },
      })
    return errorReply(failure)
  }
}

function asMongoError(error: unknown, instance: Instance, command: string): MongoError {
  if (error instanceof MongoError) return error
  // bson writes no document with a field `_bsontype`, nor what else is none.
  if (error instanceof BSONError) return new MongoError('BadValue', `a document cannot be written: ${error.message}`)
  // Nested too deep for the stack, in a filter or a document.
  if (error instanceof RangeError) return new MongoError('BadValue', `the command cannot be read: ${error.message}`)
  instance.log({
    level: 'error',
    message: 'a command failed unexpectedly',
    fields: { command, error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
  })
  return new MongoError('InternalError', 'the command failed unexpectedly; the server has noted why')
}

function authorize(instance: Instance, command: Command, message: Message, connection: Connection): void {
  if (!instance.auth || command.need === 'nothing') return
  const user = connection.user === undefined ? undefined : instance.users.byId(connection.user)
  // Dropped since it logged in.
  if (user === undefined) throw new MongoError('Unauthorized', `Command ${command.name} requires authentication`)
  if (command.need === 'login') return
  const db = command.need === 'server' ? 'admin' : message.db
  const system = isSystem(command, message)
  const allowed = grants(user.roles, system ? 'server' : command.need, system ? 'admin' : db)
  if (!allowed)
    throw new MongoError('Unauthorized', `not authorized on ${message.db} to execute command ${command.name}`)
}

function isSystem(command: Command, { body }: Message): boolean {
  const [field = ''] = Object.keys(body)
  const target: unknown = body[field]
  return command.collection === true && typeof target === 'string' && target.startsWith('system.')
}

/** Users and the replica set have commands of their own; what they are kept in is not written by others. */
function refuseSystem(command: Command, message: Message): void {
  if ((command.need === 'write' || command.need === 'structure') && isSystem(command, message))
    throw new MongoError('InvalidNamespace', `cannot write to a collection of the system in '${message.db}'`)
}

/** As a member of a replica set that was never begun: it answers who it is, and takes no data. */
function checkState(instance: Instance, command: Command): void {
  if (instance.replicaSet === undefined || instance.replicaSet.isPrimary || command.anyState === true) return
  if (command.need === 'read')
    throw new MongoError('NotPrimaryOrSecondary', 'node is not in primary or recovering state')
  throw new MongoError('NotWritablePrimary', 'not primary')
}

function sessionOf(instance: Instance, body: Document, connection: Connection): Session | undefined {
  const lsid: unknown = body.lsid
  if (typeof lsid !== 'object' || lsid === null) return undefined
  // Who has not logged in has nothing to keep, and shall not fill the table.
  if (instance.auth && connection.user === undefined) return undefined
  return instance.sessions.use(Sessions.key(sessionId(lsid), connection.user))
}
