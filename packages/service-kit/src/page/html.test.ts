import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyText } from '@bulkhead/testing/text'
import fc from 'fast-check'
import { html } from './html.js'

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
/** What a browser makes of text without tags. */
const read = (written: string): string =>
  written.replace(/&([a-z]+|#\d+);/g, (whole, name: string) => ENTITIES[name] ?? whole)

// Random text seldom holds what a browser would take for more than text.
const hostile = fc.oneof(
  anyText(),
  fc.constantFrom(
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '&lt;b&gt;',
    '&#60;script&#62;',
    '</title><svg/onload=alert(1)>',
    '<!--',
    ']]>',
    '\u2028<\u2029',
  ),
)

test('whatever a value holds, it is read as that text, between tags and in an attribute', () => {
  fc.assert(
    fc.property(hostile, hostile, (text, attribute) => {
      const written = html`<p title="${attribute}">${text}</p>`.toString()
      const [, inAttribute = '', between = ''] =
        /^<p title="([^"<>]*)">([^<>"']*)<\/p>$/s.exec(written) ?? assert.fail(written)
      assert.equal(read(inAttribute), attribute)
      assert.equal(read(between), text)
    }),
    { numRuns: process.env.BULKHEAD_LONG === '1' ? 100_000 : 2_000 },
  )
})

test('what the tag made is not escaped again; lists are joined, and nothing is nothing', () => {
  const items = ['a', '<b>'].map((item) => html`<li>${item}</li>`)
  assert.equal(html`<ul>${items}</ul>${undefined}${7}`.toString(), '<ul><li>a</li><li>&lt;b&gt;</li></ul>7')
  assert.equal(html`${['<', '>']}`.toString(), '&lt;&gt;', 'a list of text is text')
})

test('an object that looks like HTML is not: only the tag makes it', () => {
  const forged = { toString: () => '<script>' } as unknown as string
  assert.throws(() => html`${forged}`)
})
