import type { Socket } from 'node:net'

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** A message of PostgreSQL's protocol, version 3. */
export function message(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

/** ErrorResponse with this SQLSTATE. */
export function errorResponse(code: string, text: string): Buffer {
  const fields = [`SFATAL`, `VFATAL`, `C${code}`, `M${text}`].map((field) => `${field}\0`).join('')
  return message('E', Buffer.from(`${fields}\0`))
}

const AUTHENTICATED = message('R', int32(0))
const READY = message('Z', Buffer.from('I'))

/** Lets anybody in. */
export const WELCOME = Buffer.concat([AUTHENTICATED, READY])

/** The answer to a query of one column, one row. */
export function row(text: string): Buffer {
  const column = Buffer.concat([
    Buffer.from('message\0'),
    int32(0),
    Buffer.from([0, 0]),
    int32(25),
    Buffer.alloc(8, 0xff),
  ])
  column.writeInt16BE(0, column.length - 2)
  return Buffer.concat([
    message('T', Buffer.concat([Buffer.from([0, 1]), column])),
    message('D', Buffer.concat([Buffer.from([0, 1]), int32(Buffer.byteLength(text)), Buffer.from(text)])),
    message('C', Buffer.from('SELECT 1\0')),
    READY,
  ])
}

/** Takes a connection as PostgreSQL does and answers each of its messages with the next of these; then it is silent. */
export const playing =
  (...answers: readonly Buffer[]) =>
  (socket: Socket): void => {
    let next = 0
    socket.on('data', () => {
      const answer = answers[next++]
      if (answer !== undefined) socket.write(answer)
    })
  }
