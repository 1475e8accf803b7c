import assert from 'node:assert/strict'
import { test } from 'node:test'
import { escaped } from './markdown.js'

test('what Markdown reads as its own is only text', () => {
  assert.equal(escaped('shop/web-api:8080'), 'shop/web-api:8080')
  assert.equal(
    escaped('a|b *c* _d_ `e` <f> [g](h) {i} \\'),
    'a\\|b \\*c\\* \\_d\\_ \\`e\\` \\<f\\> \\[g\\](h) \\{i\\} \\\\',
  )
})
