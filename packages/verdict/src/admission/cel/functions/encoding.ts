import { CelError } from '../errors.js'
import { define } from '../registry.js'

/* cel-go's ext.Encoders: base64 with its padding or without. */

define('base64.encode', ['bytes'], 'string', ([bytes], frame) => {
  frame.budget.text(bytes.length * 2)
  let units = ''
  for (const byte of bytes) units += String.fromCharCode(byte)
  return btoa(units)
})
define('base64.decode', ['string'], 'bytes', ([text], frame) => {
  frame.budget.text(text.length)
  const bare = text.replace(/=+$/, '')
  if (
    !/^[A-Za-z0-9+/]*$/.test(bare) ||
    bare.length % 4 === 1 ||
    (bare.length !== text.length && text.length % 4 !== 0)
  ) {
    throw new CelError('illegal base64 data')
  }
  return Uint8Array.from(atob(bare), (unit) => unit.charCodeAt(0))
})
