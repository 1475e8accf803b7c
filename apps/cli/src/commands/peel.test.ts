import assert from 'node:assert/strict'
import path from 'node:path'
import { describe, it, test } from 'node:test'
import type { PeelJson } from '@bulkhead/scenarios/peel'
import { matchesGolden, repository } from '../golden.js'
import { runCli } from '../testing.js'

const peel = (...args: readonly string[]) => runCli(['peel', ...args], { cwd: path.join(repository, 'k8s') })

/** One for each wall, and one that two of them stop. */
const some = [
  'hacker-root',
  'shop-intruder-to-collector-by-udp',
  'newcomer-asks-for-metadata',
  'outsider-where-identity-is-open',
  'hello-app-thief-to-postgres',
  'sleep-deletes-at-web-api',
  'outside-to-metrics',
  'notsleep-to-web-api',
]

test('text and JSON of some', async () => {
  const text = await peel(...some)
  assert.equal(text.code, 0, text.stderr)
  assert.equal(text.stderr, 'asked: the manifests in k8s/\n')
  matchesGolden(
    `$ npx bulkhead peel ${some.join(' ')}\n${text.stdout.replace(/\(\d+\.\d s\)/, '(1.0 s)')}`,
    'peel/some.txt',
  )
  const { stdout } = await peel('--json', 'sleep-deletes-at-web-api', 'outside-to-metrics')
  matchesGolden(stdout, 'peel/some.json')
})

test('the whole suite: every layer is told, as expected, in a window of 110 columns', async () => {
  const { code, stdout } = await peel()
  assert.equal(code, 0, stdout)
  for (const line of stdout.split('\n')) assert.ok(line.length <= 110, line)
  for (const name of ['10-admission', '20-network', '30-cilium', '40-mtls', '50-identity', '60-requests', '70-ingress'])
    assert.match(stdout, new RegExp(`^${name}: [1-9]\\d* attacks? that only it stops$`, 'm'))
  assert.match(stdout, /^7 of 7 layers stop what no other does; nothing found \(/m)
})

test('a part of the suite finds nothing against a layer that has nothing to do in it', async () => {
  const { code, stdout } = await peel('--json', 'sleep-deletes-at-web-api')
  const { layers, findings } = JSON.parse(stdout) as PeelJson
  assert.deepEqual([code, findings], [0, []])
  const holding = layers.filter(({ without }) => without.through.length > 0)
  assert.deepEqual(
    holding.map(({ layer }) => layer),
    ['60-requests'],
  )
})

describe('bad input, with a sentence on stderr, nothing on stdout, and exit code 2', () => {
  for (const [what, args, said] of [
    [
      'an unknown id',
      ['sleep-delete-at-web-api'],
      /^bulkhead: there is no scenario "sleep-delete-at-web-api"; did you mean sleep-deletes-at-web-api/,
    ],
    [
      'a state without --run',
      ['--state', 'x'],
      /^bulkhead: --state says which target is meant, and only --run asks one/,
    ],
    ['a cluster without --run', ['--on', 'kind'], /^bulkhead: --on kind says which target is meant, and only --run/],
    [
      '--run where no cluster is up',
      ['--run', '--on', 'kind', '--state', 'no-such'],
      /^bulkhead: no cluster is up here/,
    ],
    [
      '--run where nothing is up',
      ['--run', '--state', 'fixtures/no-such'],
      /^bulkhead: nothing is up here .*npm start/,
    ],
  ] as const) {
    it(what, async () => {
      const { code, stdout, stderr } = await peel(...args)
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, said)
    })
  }
})
