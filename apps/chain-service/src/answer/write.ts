import type { Answer } from './answer.js'

// What Go's encoder writes otherwise than as itself: control characters, quotes, backslashes, what HTML or a script could
// misread, and halves of surrogate pairs.
const SPECIAL = /[^ !#-%'-;=?-[\]-\u2027\u202a-\ud7ff\ue000-\uffff]/
const SPECIAL_ALL = new RegExp(SPECIAL.source, 'gu')
const SHORT: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** A string as Go's encoding/json writes it: `<`, `>`, `&`, U+2028 and U+2029 escaped; `µ` and the like as they are. */
export function quote(text: string): string {
  return SPECIAL.test(text) ? `"${text.replace(SPECIAL_ALL, escaped)}"` : `"${text}"`
}

function escaped(character: string): string {
  if (character.length === 2) return character // a whole pair
  const code = character.charCodeAt(0)
  // A lone half cannot be UTF-8, and Go puts the replacement character.
  if (code >= 0xd800 && code <= 0xdfff) return '\\ufffd'
  return SHORT[character] ?? `\\u${code.toString(16).padStart(4, '0')}`
}

/**
 * The answer as fake-service v0.7.8 sends it: two-space indentation, its order of keys, empty values left out, `code`
 * always there, a newline at the end. By hand: JSON.stringify escapes other characters, and its indentation is slow.
 */
export function writeAnswer(answer: Answer): string {
  return `${writeAt(answer, '\n')}\n`
}

/** @param outer a newline and the indentation of the object itself */
function writeAt(answer: Answer, outer: string): string {
  const inner = `${outer}  `
  let out = ''
  if (answer.name !== '') out += `${inner}"name": ${quote(answer.name)},`
  if (answer.uri !== '') out += `${inner}"uri": ${quote(answer.uri)},`
  if (answer.type !== '') out += `${inner}"type": ${quote(answer.type)},`
  if (answer.ipAddresses.length > 0)
    out += `${inner}"ip_addresses": [${answer.ipAddresses.map((ip) => `${inner}  ${quote(ip)}`).join(',')}${inner}],`
  if (answer.startTime !== '') out += `${inner}"start_time": ${quote(answer.startTime)},`
  if (answer.endTime !== '') out += `${inner}"end_time": ${quote(answer.endTime)},`
  if (answer.duration !== '') out += `${inner}"duration": ${quote(answer.duration)},`
  if (answer.body !== '') out += `${inner}"body": ${quote(answer.body)},`
  if (answer.upstreamCalls.length > 0) {
    const calls = answer.upstreamCalls.map((call) => `${inner}  ${writeAt(call, `${inner}  `)}`)
    out += `${inner}"upstream_calls": [${calls.join(',')}${inner}],`
  }
  out += `${inner}"code": ${answer.code}`
  if (answer.error !== '') out += `,${inner}"error": ${quote(answer.error)}`
  return `{${out}${outer}}`
}
