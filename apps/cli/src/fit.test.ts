import assert from 'node:assert/strict'
import { PassThrough, Writable } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { columnsOf, fit } from './fit.js'
import { type Io, note, print } from './io.js'

test('a sentence is broken between words', () => {
  const text = 'bulkhead: there is no Service and no workload "shop/web-apii"; did you mean "shop/web-api"?\n'
  assert.equal(
    fit(text, 60),
    'bulkhead: there is no Service and no workload\n"shop/web-apii"; did you mean "shop/web-api"?\n',
  )
})

test('the last column of a table stays a column', () => {
  assert.equal(
    fit('  shop/outsider → shop/web-api:8080  a pod outside the mesh calls web-api', 60),
    [
      '  shop/outsider → shop/web-api:8080  a pod outside the mesh',
      '                                     calls web-api',
    ].join('\n'),
  )
})

test('a column without room for words is left for the line’s beginning', () => {
  assert.equal(
    fit('  npx bulkhead explain shop/notsleep shop/web-api:8080  why one flow is denied', 60),
    ['  npx bulkhead explain shop/notsleep shop/web-api:8080  why', '  one flow is denied'].join('\n'),
  )
})

test('a command in backticks is never broken, so that it can be pasted', () => {
  const command = '`curl -fsSLo kind https://kind.example/kind-linux-amd64 && sudo install kind /usr/local/bin/kind`'
  assert.equal(fit(`      - ${command}, then again`, 60), `      - ${command},\n      then again`)
  // One that is never closed is text like any other.
  assert.equal(
    fit('a ` that nobody closes, and some words more behind it', 40),
    'a ` that nobody closes, and some words\nmore behind it',
  )
})

test('a word too long for its column moves left, and is never broken', () => {
  const identity = 'spiffe://cluster.local/ns/shop/sa/purchase-history'
  assert.equal(
    fit(`  shop/purchase-history-v1  yes  ${identity}`, 60),
    ['  shop/purchase-history-v1  yes', `      ${identity}`].join('\n'),
  )
})

test('colours have no width', () => {
  const red = '\u001b[31mDENIED\u001b[39m by 50-identity and what follows from that'
  assert.equal(fit(red, 60), red)
  assert.equal(fit(red, 44), '\u001b[31mDENIED\u001b[39m by 50-identity and what follows from\nthat')
})

test('what fits, and whatever goes into a pipe or a file, stays as it is', () => {
  const line = `${'word '.repeat(50)}\n`
  assert.equal(fit(line, undefined), line)
  assert.equal(fit('  a  b\n\n  c', 80), '  a  b\n\n  c')
  assert.equal(columnsOf(new PassThrough()), undefined)
})

test('whatever is written, no word is lost or broken, and a line is too long only for a single word', () => {
  const word = fc.string({ minLength: 1, maxLength: 30 }).map((text) => text.replace(/\s/g, '-'))
  const gap = fc.constantFrom(' ', '  ', '     ')
  const line = fc
    .tuple(fc.nat({ max: 12 }), fc.array(fc.tuple(word, gap), { minLength: 1 }))
    .map(([indent, parts]) => `${' '.repeat(indent)}${parts.flat().join('')}`.trimEnd())
  fc.assert(
    fc.property(line, fc.integer({ min: 40, max: 200 }), (text, columns) => {
      const fitted = fit(text, columns)
      assert.deepEqual(fitted.split(/\s+/), text.split(/\s+/))
      for (const one of fitted.split('\n'))
        assert.ok(
          one.length <= columns ||
            one
              .replace(/`[^`]+`/g, 'word')
              .replace(/^\s*-\s+/, '')
              .trim()
              .split(/\s+/).length === 1,
          one,
        )
    }),
  )
})

test('results and notes are fitted, each to its own terminal', () => {
  const terminal = (columns: number) => {
    let said = ''
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        said += chunk
        done()
      },
    })
    return { stream: Object.assign(stream, { isTTY: true, columns }), said: () => said }
  }
  const [out, err] = [terminal(50), terminal(80)]
  const io = { stdout: out.stream, stderr: err.stream } as unknown as Io
  const text = 'a line of exactly sixty columns, which is more than there are'
  print(io, text)
  note(io, text)
  assert.equal(out.said(), 'a line of exactly sixty columns, which is more\nthan there are\n')
  assert.equal(err.said(), `${text}\n`)
})
