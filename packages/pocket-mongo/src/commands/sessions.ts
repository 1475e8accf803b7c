import { MongoError } from '../errors.js'
import { sessionId } from '../server/session-id.js'
import { keptRow } from '../sessions/kept.js'
import { noSuch, Sessions } from '../sessions/sessions.js'
import type { Call } from './call.js'
import type { Command } from './types.js'

/** Ends the sessions of a list, if they are this user's. */
function end(call: Call): { ok: 1 } {
  const [name = ''] = Object.keys(call.fields.document)
  const keys = (call.fields.array(name) ?? []).map((lsid) => Sessions.key(sessionId(lsid), call.connection.user))
  for (const key of keys) {
    call.instance.sessions.end(key)
    call.instance.cursors.endOf(key)
  }
  call.instance.sessions.forget(keys)
  return { ok: 1 }
}

function kill(call: Call): { ok: 1 } {
  const [name = ''] = Object.keys(call.fields.document)
  if ((call.fields.array(name) ?? []).length > 0) return end(call)
  const keys = call.instance.sessions.endOf(call.connection.user)
  for (const key of keys) call.instance.cursors.endOf(key)
  call.instance.sessions.forget(keys)
  return { ok: 1 }
}

async function commit(call: Call) {
  const { transaction, session } = call
  if (transaction === undefined || session === undefined) throw outside('commitTransaction')
  if (transaction.committed === undefined) {
    if (transaction.inner.state !== 'active') throw noSuch(session, transaction.number)
    const row = keptRow(transaction.number, undefined)
    transaction.committed = transaction.inner.commit((unit) => unit.setAside(session.key, row))
  }
  call.instance.cursors.endOf(session.key, transaction.number)
  await transaction.committed
  return { ok: 1 }
}

function abort(call: Call): { ok: 1 } {
  const { transaction, session } = call
  if (transaction === undefined || session === undefined) throw outside('abortTransaction')
  if (transaction.committed !== undefined)
    throw new MongoError('TransactionCommitted', 'Cannot call abortTransaction after calling commitTransaction')
  if (transaction.inner.state !== 'active') throw noSuch(session, transaction.number)
  transaction.inner.abort()
  call.instance.cursors.endOf(session.key, transaction.number)
  return { ok: 1 }
}

const outside = (name: string): MongoError =>
  new MongoError('NoSuchTransaction', `${name} must be run within a transaction`)

export const sessionCommands: readonly Command[] = [
  { name: 'endSessions', fields: { endSessions: 'array' }, need: 'nothing', anyState: true, run: end },
  { name: 'killSessions', fields: { killSessions: 'array' }, need: 'login', anyState: true, run: kill },
  {
    name: 'refreshSessions',
    fields: { refreshSessions: 'array' },
    need: 'login',
    anyState: true,
    run: (call) => {
      for (const lsid of call.fields.array('refreshSessions') ?? [])
        call.instance.sessions.use(Sessions.key(sessionId(lsid), call.connection.user))
      return { ok: 1 }
    },
  },
  {
    name: 'commitTransaction',
    fields: { recoveryToken: 'passed over' },
    need: 'login',
    adminOnly: true,
    transaction: true,
    run: commit,
  },
  {
    name: 'abortTransaction',
    fields: { recoveryToken: 'passed over' },
    need: 'login',
    adminOnly: true,
    transaction: true,
    run: abort,
  },
]
