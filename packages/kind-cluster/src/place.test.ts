import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { knownCauses } from './doctor/index.js'
import { forPlace, placeOf } from './place.js'

const usual = placeOf('/clone', '/clone/.bulkhead')
const other = placeOf('/clone', '/mnt/my state')

describe('what is to be typed', () => {
  it('is left as it is where the state is where our commands look', () => {
    const text = '`npx bulkhead cluster up`, `kubectl --kubeconfig .bulkhead/kind/kubeconfig get pods`'
    assert.equal(forPlace(text, usual), text)
  })

  for (const [text, typed] of [
    ['`npx bulkhead cluster up` makes one.', "`npx bulkhead cluster up --state '/mnt/my state'` makes one."],
    [
      'npx bulkhead cluster up --bundle FILE; npx bulkhead verify some-id --on kind',
      "npx bulkhead cluster up --state '/mnt/my state' --bundle FILE; npx bulkhead verify some-id --on kind --state '/mnt/my state'",
    ],
    [
      'npx bulkhead flows --on kind, and npx bulkhead cluster status',
      "npx bulkhead flows --on kind --state '/mnt/my state', and npx bulkhead cluster status --state '/mnt/my state'",
    ],
    [
      '`npx bulkhead cluster secrets | kubectl --kubeconfig .bulkhead/kind/kubeconfig apply -f -`',
      "`npx bulkhead cluster secrets --state '/mnt/my state' | kubectl --kubeconfig '/mnt/my state/kind'/kubeconfig apply -f -`",
    ],
    // The local target is not the cluster's.
    ['`npx bulkhead down` and `cluster up`', '`npx bulkhead down` and `cluster up`'],
    ['`npx bulkhead down`, not `--on kind`', '`npx bulkhead down`, not `--on kind`'],
    ['"/somebody/.bulkhead/kind/kubeconfig"', '"/somebody/.bulkhead/kind/kubeconfig"'],
  ] as const)
    it(`means the cluster of another state: ${text}`, () => {
      assert.equal(forPlace(text, other), typed)
      assert.equal(forPlace(typed, other), typed, 'said twice')
    })

  it('is written as the form of the text wants it', () => {
    const escaped = (words: string): string => words.replaceAll("'", '&#39;')
    assert.equal(
      forPlace('npx bulkhead cluster up', other, escaped),
      'npx bulkhead cluster up --state &#39;/mnt/my state&#39;',
    )
  })

  it('names our kubeconfig and our context wherever kubectl is to be typed for a cause', () => {
    const texts = knownCauses.flatMap(({ remedy }) => (Array.isArray(remedy) ? remedy : Object.values(remedy)).flat())
    const lines = texts.flatMap((text: string) => text.match(/`kubectl [^`]*`/g) ?? [])
    assert.ok(lines.length > 2)
    for (const line of lines)
      assert.match(line, /^`kubectl --kubeconfig \.bulkhead\/kind\/kubeconfig --context kind-bulkhead /)
  })
})
