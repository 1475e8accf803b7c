import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Attempt } from '@bulkhead/scenarios'
import { bench, seen } from '../testing/bench.js'

const github: Attempt = { kind: 'http', to: { host: 'api.github.com' }, port: 443, tls: {} }
const inPod = /^kubectl exec -i -n/
const fromNode = /^docker exec bulkhead-control-plane curl .* https:\/\/api\.github\.com\/$/
const failed = seen({ symptom: 'dns-not-found', phase: 'dns' })

it('a real host that no node reaches: the attempt cannot be made, which is asked once', async (t) => {
  const { target, tools } = bench(t, [
    [inPod, { stdout: failed }],
    [fromNode, { code: 6 }],
  ])
  for (const _ of [1, 2])
    await assert.rejects(target.attempt('demo/hello-app', github), {
      ...{ code: 'not-makeable' },
      message: /^api\.github\.com cannot be reached from here: /,
    })
  assert.equal(tools.lines().filter((line) => fromNode.test(line)).length, 1)
})

it('one that a node reaches, or of which nothing is known, failed for another reason', async (t) => {
  for (const code of [0, 22, 125, 126]) {
    const { target } = bench(t, [
      [inPod, { stdout: failed }],
      [fromNode, { code }],
    ])
    const { observation } = await target.attempt('demo/hello-app', github)
    assert.equal(observation.symptom, 'dns-not-found')
  }
})

it('where a wall is what stops it, no node is asked, nor where it was served', async (t) => {
  const { target, tools } = bench(t, [
    [inPod, [{ stdout: failed }, { stdout: seen() }]],
    [fromNode, { code: 6 }],
  ])
  assert.equal((await target.attempt('shop/web-api', github)).observation.symptom, 'dns-not-found')
  assert.equal((await target.attempt('demo/hello-app', github)).observation.symptom, 'ok')
  assert.ok(!tools.lines().some((line) => fromNode.test(line)))
})
