import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import { root, scenarios } from '../testing/in-force.js'
import { allLayers, resources } from '../testing/repository.js'
import { peelByEngine } from './engine.js'
import { holdsNothing, peel } from './peel.js'
import type { LayerPeel, Peel } from './types.js'

/* This repository's own layers, by the engine. */

async function peelWith(base: readonly Resource[], ids?: readonly string[]): Promise<Peel> {
  const some = ids === undefined ? scenarios : scenarios.filter(({ id }) => ids.includes(id))
  return peel(await peelByEngine(some, { resources: base, root }), some, ids === undefined)
}

const layerOf = ({ layers }: Peel, name: string): LayerPeel =>
  layers.find(({ layer }) => layer === name) ?? assert.fail(name)
const without = (id: string): readonly Resource[] => {
  assert.ok(resources.some((one) => one.id === id))
  return resources.filter((one) => one.id !== id)
}

describe('the suite, peeled by the engine', () => {
  it('finds nothing: no attack gets through all layers, and each stops what no other does', async () => {
    const found = await peelWith(resources)
    assert.deepEqual(found.findings, [])
    assert.deepEqual(
      found.layers.map(({ layer }) => layer),
      allLayers,
    )
    assert.deepEqual(found.layers.filter(holdsNothing), [])
    assert.equal(found.attacks.length + found.legitimate.length, scenarios.length)
    // What docs/decisions/0026 tells of each wall, and admission beside them.
    for (const [layer, id] of [
      ['10-admission', 'hacker-root'],
      ['20-network', 'manager-to-collector-by-udp'],
      ['30-cilium', 'newcomer-asks-for-metadata'],
      ['40-mtls', 'outsider-where-identity-is-open'],
      ['50-identity', 'hello-app-thief-to-postgres'],
      ['60-requests', 'sleep-deletes-at-web-api'],
    ] as const) {
      assert.ok(layerOf(found, layer).without.through.includes(id), id)
    }
    assert.ok(layerOf(found, '70-ingress').ownDoor.includes('outside-posts'))
    // What holds of any suite: without a layer nobody gets through whom it does not stop.
    for (const { layer, without: open, alone } of found.layers) {
      const untried = new Set([...alone.stops, ...alone.notTried])
      assert.deepEqual(
        open.through.filter((id) => !untried.has(id)),
        [],
        layer,
      )
    }
  })

  it('finds the policy that is gone: its attack gets through, and its layer is told to hold nothing of it', async () => {
    const attack = 'newcomer-asks-for-metadata'
    const [whole, gone] = [
      await peelWith(resources, [attack]),
      await peelWith(without('CiliumClusterwideNetworkPolicy/no-metadata'), [attack]),
    ]
    assert.deepEqual(layerOf(whole, '30-cilium').without.through, [attack])
    assert.deepEqual(layerOf(gone, '30-cilium').without.through, [])
    assert.deepEqual(whole.findings, [])
    assert.deepEqual(gone.findings[0], { kind: 'through', scenario: attack })
    const wrong = gone.findings.flatMap((one) => (one.kind === 'different' ? [one.setting] : []))
    assert.ok(wrong.includes('with all layers on') && wrong.includes('with 30-cilium alone'))
    assert.ok(!wrong.includes('without 30-cilium'))
  })

  it('asks admission first: what is not created is not tried', async () => {
    const found = await peelWith(resources, ['hacker-root', 'privileged-pod', 'shop-privileged-pod'])
    assert.deepEqual(layerOf(found, '10-admission').without.through, ['hacker-root', 'privileged-pod'])
    // Pod Security is no layer.
    assert.deepEqual(found.alwaysStopped, ['shop-privileged-pod'])
  })

  it('does not know an attempt whose pod is not there, and says so', async () => {
    const attack = 'newcomer-asks-for-metadata'
    const some = scenarios
      .filter(({ id }) => id === attack)
      .map((scenario) => ({ ...scenario, from: 'newcomer/nobody' }))
    const found = peel(await peelByEngine(some, { resources, root }), some, false)
    assert.deepEqual(new Set(found.findings.map(({ kind }) => kind)), new Set(['unknown']))
    assert.match(JSON.stringify(found.findings[0]), /newcomer\/nobody/)
  })

  it('stops when it is told to', async () => {
    const controller = new AbortController()
    controller.abort('SIGINT')
    await assert.rejects(
      peelByEngine(scenarios, { resources, root, signal: controller.signal }),
      (error) => error === 'SIGINT',
    )
  })
})
