import assert from 'node:assert/strict'
import { it } from 'node:test'
import { changeHeaders, type HeaderChange } from '@bulkhead/verdict'
import { answerPairs, changePairs } from './headers.js'

/* HTTPHeaderFilter, as Envoy carries it out: a change removes, then sets, then adds; changes come one after the other. */
it("the lines of an answer are changed as the engine changes a request's headers", () => {
  const change = (set: string, add: string, remove: string): HeaderChange => ({
    set: set === '' ? [] : [[set, 'set']],
    add: add === '' ? [] : [[add, 'added']],
    remove: remove === '' ? [] : [remove],
  })
  const names = ['', 'x-there', 'x-other']
  const changes = names.flatMap((set) => names.flatMap((add) => names.map((remove) => change(set, add, remove))))
  for (const first of changes)
    for (const second of changes) {
      const pairs = changePairs(['X-There', 'old', 'x-kept', 'kept'], [first, second])
      const joined: Record<string, string> = {}
      for (let index = 0; index < pairs.length; index += 2) {
        const name = pairs[index]?.toLowerCase() ?? ''
        const value = pairs[index + 1] ?? ''
        joined[name] = joined[name] === undefined ? value : `${joined[name]},${value}`
      }
      assert.deepEqual(
        joined,
        { ...changeHeaders({ 'x-there': 'old', 'x-kept': 'kept' }, [first, second]) },
        JSON.stringify([first, second]),
      )
    }
  // Lines of one name stay apart.
  assert.deepEqual(changePairs(['set-cookie', 'a', 'set-cookie', 'b'], [change('', 'set-cookie', '')]), [
    'set-cookie',
    'a',
    'set-cookie',
    'b',
    'set-cookie',
    'added',
  ])
})

it("an answer has one word on how long it took, the last proxy's, and one server", () => {
  const raw = ['X-Envoy-Upstream-Service-Time', '7', 'Server', 'app', 'x-kept', 'kept'].map((text) => Buffer.from(text))
  assert.deepEqual(answerPairs(raw, false, 'istio-envoy').pairs, ['server', 'istio-envoy', 'x-kept', 'kept'])
})
