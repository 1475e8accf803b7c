import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from './eventually.js'

test('what is there is given at once, and nothing is asked twice', async () => {
  for (const value of [true, 0, '', 'text', []] as const) {
    let asked = 0
    const seen = await eventually('it', () => {
      asked += 1
      return value
    })
    assert.equal(seen, value)
    assert.equal(asked, 1)
  }
})

test('what is not there yet is asked for again: false, null, undefined, and what throws', async () => {
  const answers = [() => false, () => null, () => undefined, () => assert.fail('not yet'), () => ({ port: 1 })]
  const { port } = await eventually('a port', async () => answers.shift()?.() as { port: number } | undefined)
  assert.equal(port, 1)
  assert.deepEqual(answers, [])
})

test('what does not come is an error that says what, and what was seen last', async () => {
  await assert.rejects(
    eventually('the sun', () => false, 5),
    { message: 'not within 5 ms: the sun; last seen: false' },
  )
  const cause = new Error('it rains')
  await assert.rejects(
    eventually('the sun', () => Promise.reject(cause), 5),
    { message: 'not within 5 ms: the sun; last thrown: it rains', cause },
  )
})

test('it is asked once at least, and once when the time is over', async () => {
  let asked = 0
  await assert.rejects(
    eventually(
      'nothing',
      () => {
        asked += 1
      },
      0,
    ),
    /not within 0 ms: nothing; last seen: undefined/,
  )
  assert.equal(asked, 1)
})
