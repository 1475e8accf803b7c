import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Refusal, refusalText } from './refusal.js'

const refusal: Refusal = {
  id: 'Pod/sandbox/careless',
  at: 'a.yaml:1',
  operation: 'CREATE',
  refused: 'object',
  outcome: 'deny',
  message: 'no',
  told: 'no',
  policy: 'ValidatingPolicy/allowed-images',
  policyAt: 'p.yaml:2',
}
const lastOf = (one: Refusal, change?: 'each' | 'whole'): string =>
  refusalText(one, change).split('\n').at(-1)?.split('.')[0]?.trim() ?? ''

test('an exception is proposed where one policy alone refuses; of several, how many more', () => {
  const [, by, , advice] = refusalText(refusal).split('\n')
  assert.equal(by, '  by    ValidatingPolicy/allowed-images (p.yaml:2)')
  assert.match(advice ?? '', /write a PolicyException/)
  const [, those, , instead] = refusalText({ ...refusal, others: 8 }).split('\n')
  assert.equal(those, '  by    ValidatingPolicy/allowed-images and 8 more (p.yaml:2)')
  assert.equal(
    instead,
    '  It is not there. What to do: mend the object; npx bulkhead admit -f FILE says whether that is enough.',
  )
})

test('what is there instead is said of the object, and not of the run, in which others may be in force', () => {
  assert.equal(lastOf(refusal, 'whole'), 'It is not there')
  assert.equal(lastOf({ ...refusal, operation: 'UPDATE' }, 'whole'), 'It stays as it was')
  assert.equal(lastOf({ ...refusal, operation: 'DELETE' }, 'whole'), 'It stays as it was')
  assert.equal(lastOf({ ...refusal, refused: 'pods' }, 'whole'), 'It is not there')
  assert.equal(lastOf({ ...refusal, refused: 'pods' }), 'It is there, and no new pod of it is started (FailedCreate)')
})
