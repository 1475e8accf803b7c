import type { Readable } from 'node:stream'
import type { Payload } from '@bulkhead/verdict'
import { readFirst } from '../first-bytes.js'
import { MAX_HELLO_BYTES, readHello } from './client-hello.js'

/**
 * Reads a connection's first bytes until they say what it carries, and puts them back. A client that says nothing for
 * `limitMs`, or ends, carries something else. Undefined: it is gone.
 */
export const readFirstBytes = (stream: Readable, limitMs: number): Promise<Payload | undefined> =>
  readFirst<Payload>(stream, {
    limitMs,
    read: (bytes) => readHello(bytes.subarray(0, MAX_HELLO_BYTES)),
    silent: { kind: 'other' },
  })
