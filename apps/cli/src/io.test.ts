import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printable } from './io.js'

test('control characters are shown, lines and tabs stay, and colours where they are wanted', () => {
  const text = 'a\tb\n\u001b[31mred\u001b[0m\r\u001b[2J\u009b31m\u202eü'
  assert.equal(printable(text), 'a\tb\n\\u001b[31mred\\u001b[0m\\u000d\\u001b[2J\\u009b31m\\u202eü')
  assert.equal(printable(text, 'colours'), 'a\tb\n\u001b[31mred\u001b[0m\\u000d\\u001b[2J\\u009b31m\\u202eü')
})
