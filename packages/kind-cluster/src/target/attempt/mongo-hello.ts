/**
 * The first message of a client of MongoDB's: OP_MSG with `{ hello: 1, $db: "admin" }`, as its wire protocol has it
 * (https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/, https://bsonspec.org/spec.html).
 */
export function helloMessage(): Buffer {
  const document = withLength(
    Buffer.concat([
      element(0x10, 'hello', int32(1)),
      element(0x02, '$db', int32(6), cstring('admin')),
      Buffer.from([0]),
    ]),
  )
  // Its number, that it answers none, OP_MSG, no flags; then a section of kind 0, which is one document.
  const head = [1, 0, 2013, 0].map(int32)
  return withLength(Buffer.concat([...head, Buffer.from([0]), document]))
}

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}
const cstring = (text: string): Buffer => Buffer.from(`${text}\0`)
const element = (type: number, name: string, ...value: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from([type]), cstring(name), ...value])
/** A message and a document begin with how long they are, these four bytes included. */
const withLength = (content: Buffer): Buffer => Buffer.concat([int32(content.length + 4), content])
