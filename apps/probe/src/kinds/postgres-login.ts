import type { Socket } from 'node:net'
import type { Attempt } from '@bulkhead/scenarios'
import pg from 'pg'
import { open } from '../connection.js'
import { asFailure, endedCode, Failure, type Trace } from '../trace.js'
import type { Got } from './kind.js'

const question = "select 'Hello from PostgreSQL' as text"

/**
 * A login with a password, and one question; `detail.text` is its answer. What the server says no to is an answer too
 * (`detail.login` is false then, with its SQLSTATE): who hears it was let in by every wall.
 */
export async function login(trace: Trace, wanted: NonNullable<Attempt['postgres']>): Promise<Got> {
  const { host, port, password } = trace.attempt
  if (password === undefined)
    throw new Failure('NO_MATERIAL', 'a login needs "password": the value that "postgres.passwordFrom" names')
  const { user = 'postgres', database = user } = wanted
  const socket = await open(trace, { host, port })
  const client = new pg.Client({ user, database, password, host, port, ssl: false, stream: () => already(socket) })
  client.on('error', () => {})
  const late = new Promise<never>((_, reject) => {
    const give = (): void => reject(asFailure(trace.signal.reason))
    if (trace.signal.aborted) give()
    else trace.signal.addEventListener('abort', give, { once: true })
  })
  try {
    await Promise.race([client.connect(), late])
    const { rows } = await Promise.race([client.query<{ text: string }>(question), late])
    trace.received(socket.bytesRead)
    return { detail: { login: true, text: rows[0]?.text }, open: socket }
  } catch (error) {
    socket.destroy()
    if (error instanceof pg.DatabaseError) {
      trace.received(socket.bytesRead)
      return { detail: { login: false, sqlstate: error.code, message: error.message } }
    }
    // The server spoke, and then closed.
    if (socket.bytesRead > 0) trace.received(socket.bytesRead)
    throw codeOf(error)
  }
}

/** The library dials itself; this one is open. */
function already(socket: Socket): Socket {
  const connect = (): Socket => {
    process.nextTick(() => socket.emit('connect'))
    return socket
  }
  return Object.assign(socket, { connect })
}

/** The library's own words for an end have no code. */
function codeOf(error: unknown): Failure {
  const failure = asFailure(error)
  return /^Connection terminated/.test(failure.message) ? new Failure(endedCode, failure.message) : failure
}
