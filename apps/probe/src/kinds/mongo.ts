import { deserialize, serialize } from 'bson'
import { exchange, open } from '../connection.js'
import { Failure } from '../trace.js'
import type { Kind } from './kind.js'

const opMsg = 2013
/** MongoDB's own limit of a message; a length beyond it is not MongoDB speaking. */
const maxMessage = 48_000_000
const headBytes = 21

/** `hello` by OP_MSG: the fields that say what answered. With a login to make, that follows. */
export const mongo: Kind = async (trace) => {
  const { host, port, mongo: wanted, password } = trace.attempt
  if (wanted !== undefined && password === undefined)
    throw new Failure('NO_MATERIAL', 'a login needs "password": the value that "mongo.passwordFrom" names')
  const stream = await open(trace, { host, port })
  const { answer, cut } = await exchange(trace, stream, hello(), whole)
  if (cut !== undefined) return { cut, open: stream }
  let detail: Record<string, unknown>
  try {
    detail = fieldsOf(answer)
  } catch (error) {
    return { cut: new Failure('BAD_REPLY', `not an OP_MSG reply (${String(error)})`), open: stream }
  }
  if (wanted === undefined || password === undefined) return { detail, open: stream }
  // Loaded when it is used: most attempts only want to know who answers.
  const { login } = await import('./mongo-login.js')
  return { ...(await login(trace, wanted, password)), open: stream }
}

function hello(): Buffer {
  const body = serialize({ hello: 1, $db: 'admin' })
  const head = Buffer.alloc(headBytes)
  head.writeInt32LE(headBytes + body.length, 0)
  head.writeInt32LE(1, 4)
  head.writeInt32LE(opMsg, 12)
  return Buffer.concat([head, body])
}

function whole(got: Buffer): boolean {
  if (got.length < 4) return false
  const length = got.readInt32LE(0)
  return length < headBytes || length > maxMessage || got.length >= length
}

function fieldsOf(message: Buffer): Record<string, unknown> {
  if (message.length < headBytes || message.readInt32LE(12) !== opMsg) throw new Error('not an OP_MSG reply')
  const reply = deserialize(message.subarray(headBytes, message.readInt32LE(0)))
  const { ok, isWritablePrimary, maxWireVersion, setName, msg, code, codeName, errmsg } = reply
  return Object.fromEntries(
    Object.entries({ ok, isWritablePrimary, maxWireVersion, setName, msg, code, codeName, errmsg }).filter(
      ([, value]) => value !== undefined,
    ),
  )
}
