import { METHODS } from 'node:http'

/** Of a request's first line, until it is clear that it is one. */
const MAX_LINE_BYTES = 8 * 1024
const REQUEST_LINE = /^[A-Z-]+ [^ \r\n]+ HTTP\/1\.[01]\r?\n/
/** An HTTP/2 client's preface (RFC 9113, 3.4). */
const PREFACE = 'PRI * HTTP/2.0\r\n'

/**
 * What a connection to a port of unknown protocol carries, as Envoy's http_inspector finds out; undefined while the bytes
 * could still become a request. HTTP/2 is HTTP, too, and the server refuses it.
 */
export function sniff(bytes: Buffer): 'http' | 'tcp' | undefined {
  const text = bytes.subarray(0, MAX_LINE_BYTES).toString('latin1')
  if (text.startsWith(PREFACE) || REQUEST_LINE.test(text)) return 'http'
  if (PREFACE.startsWith(text)) return undefined
  if (text.includes('\n') || bytes.length >= MAX_LINE_BYTES) return 'tcp'
  const space = text.indexOf(' ')
  const begins =
    space === -1 ? METHODS.some((method) => method.startsWith(text)) : METHODS.includes(text.slice(0, space))
  return begins ? undefined : 'tcp'
}
