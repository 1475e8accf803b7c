import type { Random } from '@bulkhead/resources/testing'

/* HTTP/2 on the wire, as a client that follows no rules would write it: RFC 9113 for frames, RFC 7541 for headers. */

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const
const END_STREAM = 1
const END_HEADERS = 4
const ACK = 1

/** Section 4.1. `length` may lie. */
export function frame(type: number, flags: number, stream: number, body: Buffer, length = body.length): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream >>> 0, 5)
  return Buffer.concat([head, body])
}

export const settings = (pairs: readonly (readonly [id: number, value: number])[] = []): Buffer => {
  const body = Buffer.alloc(pairs.length * 6)
  pairs.forEach(([id, value], i) => {
    body.writeUInt16BE(id, i * 6)
    body.writeUInt32BE(value >>> 0, i * 6 + 2)
  })
  return frame(TYPE.settings, 0, 0, body)
}
export const settingsAck = (): Buffer => frame(TYPE.settings, ACK, 0, Buffer.alloc(0))

/** RFC 7541, 5.1 with a prefix of 7 bits, and 5.2 without Huffman's code. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  const length = [Math.min(bytes.length, 127)]
  for (let rest = bytes.length - 127; length.length === 1 ? rest >= 0 : true; rest >>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest)
    if (rest <= 127) break
  }
  return Buffer.concat([Buffer.from(length), bytes])
}

export type Field = readonly [name: string, value: string]

/** Each as a literal that is not kept (RFC 7541, 6.2.2). */
export const block = (fields: readonly Field[]): Buffer =>
  Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))

/** HEADERS, and CONTINUATIONs for what does not fit into a frame. */
export function headers(stream: number, fields: readonly Field[], end = false, size = 16_384): Buffer {
  const whole = block(fields)
  const parts = [whole.subarray(0, size)]
  for (let at = size; at < whole.length; at += size) parts.push(whole.subarray(at, at + size))
  return Buffer.concat(
    parts.map((part, i) => {
      const flags = (i === parts.length - 1 ? END_HEADERS : 0) | (i === 0 && end ? END_STREAM : 0)
      return frame(i === 0 ? TYPE.headers : TYPE.continuation, flags, stream, part)
    }),
  )
}

export const connectTo = (authority: string): Field[] => [
  [':method', 'CONNECT'],
  [':authority', authority],
]
export const data = (stream: number, body: Buffer | string, end = false): Buffer =>
  frame(TYPE.data, end ? END_STREAM : 0, stream, Buffer.from(body))
const number = (value: number): Buffer => {
  const body = Buffer.alloc(4)
  body.writeUInt32BE(value >>> 0)
  return body
}
export const reset = (stream: number, code = 8): Buffer => frame(TYPE.reset, 0, stream, number(code))
export const windowUpdate = (stream: number, by: number): Buffer => frame(TYPE.window, 0, stream, number(by))
export const ping = (ack = false): Buffer => frame(TYPE.ping, ack ? ACK : 0, 0, Buffer.alloc(8, 7))
export const goaway = (last: number, code: number): Buffer =>
  frame(TYPE.goaway, 0, 0, Buffer.concat([number(last), number(code)]))

/** Well formed on the outside, with anything in it. */
export function anyFrame(random: Random): Buffer {
  const body = random.bytes(random.below(64))
  const length = random.once(10) ? random.below(0xffffff) : body.length
  return frame(random.below(12), random.below(256), random.below(6), body, length)
}

/** CONNECTs that are not as they have to be. `to` is where a right one would go. */
export function wrongConnect(random: Random, to: string): readonly Field[] {
  const right = connectTo(to)
  const big = 'x'.repeat(random.pick([100, 5_000, 70_000]))
  return random.pick<() => readonly Field[]>([
    () => [
      [':method', random.pick(['GET', 'POST', 'connect', '', 'CONNECT ', 'PRI', big])],
      [':authority', to],
    ],
    () => [[':method', 'CONNECT']],
    () => [[':authority', to]],
    () => [],
    () => [...right, [':path', '/'], [':scheme', 'https']],
    () => [...right, [':protocol', 'websocket'], [':path', '/'], [':scheme', 'https']],
    () => connectTo(random.pick(['', ':', '10.244.1.2', '10.244.1.2:', '10.244.1.2:0', '10.244.1.2:99999', big])),
    () => connectTo(random.pick(['10.244.1.2:15008', '10.244.1.2:15001', '10.244.2.3:8080', '0x0a.1:8080'])),
    () => connectTo(random.pick(['[::1]:8080', 'web-api:8080', '169.254.169.254:80', '10.244.1.2:8080\r\nx: y', '\0'])),
    () => [...right, ...right],
    () => [...right, ...random.list(20, 200, (): Field => ['x-many', 'y'])],
    () => [...right, ['x-big', big]],
    () => [...right, [big, 'y']],
    () => [...right, [random.pick(['', ':x', 'X-Upper', 'a b', 'connection', 'te', 'host', 'content-length']), '7']],
    () => [['x-first', 'y'], ...right],
  ])()
}

/** Many of one kind, which cost the sender little. */
export function flood(random: Random, to: string): Buffer {
  const many = random.once(8) ? 1_500 : random.pick([30, 250])
  const times = (make: (i: number) => Buffer) => Buffer.concat(Array.from({ length: many }, (_, i) => make(i)))
  return random.pick<() => Buffer>([
    () => times(() => settings()),
    () => times(() => settings([[random.below(10), random.below(2 ** 31)]])),
    () => times(() => settingsAck()),
    () => times(() => ping()),
    () => times(() => ping(true)),
    () => times((i) => headers(1 + 2 * i, connectTo(to))),
    // Opened and given up at once: CVE-2023-44487.
    () => times((i) => Buffer.concat([headers(1 + 2 * i, connectTo(to)), reset(1 + 2 * i)])),
    () => times((i) => headers(1 + 2 * i, connectTo('10.244.1.2:1'), true)),
    () => times((i) => reset(1 + 2 * i)),
    () => times(() => windowUpdate(0, 1)),
    () => times((i) => windowUpdate(1 + 2 * i, 0)),
    () => times((i) => frame(TYPE.priority, 0, 1 + 2 * i, Buffer.alloc(5))),
    () => times(() => data(1, '')),
    // Headers without an end: CVE-2024-27983 and its kin.
    () =>
      Buffer.concat([
        frame(TYPE.headers, 0, 1, block(connectTo(to))),
        times(() => frame(TYPE.continuation, 0, 1, Buffer.alloc(0))),
      ]),
    () =>
      Buffer.concat([
        frame(TYPE.headers, 0, 1, block(connectTo(to))),
        times(() => frame(TYPE.continuation, 0, 1, block([['x', 'y'.repeat(90)]]))),
      ]),
    () => times(() => goaway(0, 0)),
    () => times(() => frame(0x20 + random.below(200), random.below(256), random.below(4), random.bytes(4))),
  ])()
}
