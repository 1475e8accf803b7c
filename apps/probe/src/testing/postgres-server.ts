import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'

const iterations = 4096

/**
 * As much of PostgreSQL as a login and a question need: SCRAM-SHA-256 (RFC 5802) with this one password, and a row of
 * text for every query. `told` gets the startup message's parameters and the queries.
 */
export function postgresServer(password: string, row: string, told: string[] = []): (socket: Socket) => void {
  return (socket) => {
    let buffered = Buffer.alloc(0)
    let started = false
    const step = scram(password, told)
    socket.on('data', (chunk: Buffer) => {
      buffered = Buffer.concat([buffered, chunk])
      for (;;) {
        const head = started ? 1 : 0
        if (buffered.length < head + 4 || buffered.length < head + buffered.readInt32BE(head)) return
        const end = head + buffered.readInt32BE(head)
        const [type, body] = [buffered.toString('latin1', 0, head), buffered.subarray(head + 4, end)]
        buffered = buffered.subarray(end)
        if (!started) {
          started = true
          told.push(body.toString('latin1', 4).split('\0').filter(Boolean).join(' '))
          socket.write(authentication(10, 'SCRAM-SHA-256\0\0'))
        } else if (type === 'p') {
          const { send, end: over } = step(body)
          socket.write(send)
          if (over) socket.end()
        } else if (type === 'Q') {
          told.push(body.toString('utf8', 0, body.length - 1))
          socket.write(answer(row))
        }
      }
    })
  }
}

function message(type: string, ...parts: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)))
  const head = Buffer.alloc(5)
  head.write(type, 0, 'latin1')
  head.writeInt32BE(4 + body.length, 1)
  return Buffer.concat([head, body])
}

const int = (bytes: 2 | 4, value: number): Buffer => {
  const buffer = Buffer.alloc(bytes)
  buffer.writeIntBE(value, 0, bytes)
  return buffer
}
const authentication = (kind: number, data: string): Buffer => message('R', int(4, kind), data)
const ready = message('Z', 'I')

function scram(password: string, told: string[]): (body: Buffer) => { send: Buffer; end?: boolean } {
  const salt = randomBytes(16)
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const mac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  let [bare, first] = ['', '']
  return (body) => {
    if (bare === '') {
      // The mechanism's name and a length stand before it; then `n,,`.
      bare = body.toString('utf8', body.indexOf(0) + 5).replace(/^n,,/, '')
      const nonce = `${/r=(.*)$/.exec(bare)?.[1]}${randomBytes(9).toString('base64')}`
      first = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`
      return { send: authentication(11, first) }
    }
    const [, final = '', proof = ''] = /^(.*),p=(.*)$/.exec(body.toString('utf8')) ?? []
    const signed = `${bare},${first},${final}`
    const clientKey = mac(salted, 'Client Key')
    const signature = mac(createHash('sha256').update(clientKey).digest(), signed)
    const expected = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)))
    if (!expected.equals(Buffer.from(proof, 'base64'))) {
      told.push('refused')
      return { send: message('E', 'SFATAL\0C28P01\0Mpassword authentication failed\0\0'), end: true }
    }
    const verifier = mac(mac(salted, 'Server Key'), signed).toString('base64')
    return { send: Buffer.concat([authentication(12, `v=${verifier}`), authentication(0, ''), ready]) }
  }
}

function answer(row: string): Buffer {
  const column = Buffer.concat([
    Buffer.from('text\0'),
    int(4, 0),
    int(2, 0),
    int(4, 25),
    int(2, -1),
    int(4, -1),
    int(2, 0),
  ])
  return Buffer.concat([
    message('T', int(2, 1), column),
    message('D', int(2, 1), int(4, Buffer.byteLength(row)), row),
    message('C', 'SELECT 1\0'),
    ready,
  ])
}
