import { Binary, type Document } from 'bson'
import { Conversation } from '../auth/scram.js'
import { MongoError } from '../errors.js'
import { isPlain } from '../values/decode.js'
import { numberOf, show } from '../values/show.js'
import type { Call } from './call.js'
import type { Command } from './types.js'

const MECHANISM = 'SCRAM-SHA-256'
const failed = (): MongoError => new MongoError('AuthenticationFailed', 'Authentication failed.')
const said = (text: string): Binary => new Binary(Buffer.from(text))
/** One login at a time on a connection, so one number does. */
const CONVERSATION = 1

function textOf(payload: unknown): string {
  if (payload instanceof Binary) return Buffer.from(payload.value()).toString('utf8')
  throw new MongoError('TypeMismatch', "BSON field 'payload' has to be binary")
}

/** @param asked with `db`: the database of the user is that one, as in a hello */
export function saslStart(call: Call, asked: Document): Document {
  const { instance, connection } = call
  const mechanism: unknown = asked.mechanism
  const db: unknown = asked.db ?? call.db
  if (typeof db !== 'string') throw new MongoError('TypeMismatch', "BSON field 'db' has to be a string")
  if (mechanism !== MECHANISM)
    throw new MongoError(
      'MechanismUnavailable',
      `Received authentication for mechanism ${show(mechanism)} which is not enabled`,
    )
  if (connection.user !== undefined)
    throw new MongoError('AuthenticationFailed', 'a user has logged in on this connection already')
  connection.conversation = undefined
  const steps = new Conversation(textOf(asked.payload), (name) => instance.users.find(db, name)?.credential)
  const short = isPlain(asked.options) && asked.options.skipEmptyExchange === true
  connection.conversation = { id: CONVERSATION, steps, db, short, proved: false }
  return { conversationId: CONVERSATION, done: false, payload: said(steps.first) }
}

function saslContinue(call: Call): Document {
  const { connection, fields, instance } = call
  const under = connection.conversation
  if (under === undefined || numberOf(fields.any('conversationId')) !== under.id) throw failed()
  const text = textOf(fields.any('payload'))
  if (under.proved) {
    connection.conversation = undefined
    if (text !== '') throw failed()
    return over(call, under.db, under.steps.user, '')
  }
  try {
    const last = under.steps.finish(text)
    if (under.short) {
      connection.conversation = undefined
      return over(call, under.db, under.steps.user, last)
    }
    under.proved = true
    return { conversationId: CONVERSATION, done: false, payload: said(last), ok: 1 }
  } catch (error) {
    connection.conversation = undefined
    instance.log({
      level: 'warn',
      message: 'a login failed',
      fields: { user: under.steps.user, db: under.db, connection: connection.id },
    })
    throw error
  }
}

function over(call: Call, db: string, name: string, last: string): Document {
  const user = call.instance.users.find(db, name)
  if (user === undefined) throw failed()
  call.connection.loggedIn(user.id)
  return { conversationId: CONVERSATION, done: true, payload: said(last), ok: 1 }
}

export const saslCommands: readonly Command[] = [
  {
    name: 'saslStart',
    fields: { mechanism: 'string', payload: 'any', autoAuthorize: 'passed over', options: 'object', db: 'string' },
    need: 'nothing',
    anyState: true,
    run: (call) => ({ ...saslStart(call, call.fields.document), ok: 1 }),
  },
  {
    name: 'saslContinue',
    fields: { conversationId: 'number', payload: 'any' },
    need: 'nothing',
    anyState: true,
    run: saslContinue,
  },
  {
    name: 'logout',
    fields: {},
    need: 'nothing',
    anyState: true,
    run: ({ connection }) => {
      connection.loggedOut()
      return { ok: 1 }
    },
  },
]
