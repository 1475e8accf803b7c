import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { before, describe, it } from 'node:test'
import { loadManifests, parseManifests, type Resource } from '@bulkhead/resources'
import { flowOf, loadScenarios, type Scenario } from '@bulkhead/scenarios'
import { compile, judge, type Snapshot } from '@bulkhead/verdict'
import { served } from '../testing/served.js'
import { liveOf } from './index.js'

const root = resolve(import.meta.dirname, '../../../../..')
const { resources } = await loadManifests([join(root, 'k8s/workloads'), join(root, 'k8s/layers')], { relativeTo: root })
const layers = [...new Set(resources.flatMap(({ layer }) => layer ?? []))]
const scenarios = await loadScenarios(join(root, 'scenarios'))

const withLayers = (on: readonly string[]) => resources.filter(({ layer }) => layer === undefined || on.includes(layer))

/** What a scenario has in force before it is tried. */
function staged({ given }: Scenario, base: readonly Resource[]): readonly Resource[] {
  const brought = (given?.manifests ?? []).flatMap(
    (file) => parseManifests(readFileSync(join(root, file), 'utf8'), file).resources,
  )
  const gone = new Set([...(given?.without ?? []), ...brought.map(({ id }) => id)])
  return [...base.filter(({ id }) => !gone.has(id)), ...brought]
}

/** What it is judged as, without the addresses, which differ. */
function judged(scenario: Scenario, snapshot: Snapshot): unknown {
  const flow = flowOf(scenario.from, scenario.attempt)
  if (flow === undefined) return undefined
  const { outcome, symptom, steps, decidedBy } = judge(flow, snapshot)
  return {
    ...{ outcome, symptom, decidedBy },
    steps: steps.map(({ hop, point, engine, layer, outcome: said, code, policy, rule, at }) => ({
      ...{ hop, point, engine, layer, said, code, policy, rule, at },
    })),
  }
}

describe('a cluster to which k8s/ was applied', () => {
  const all = served(resources)
  let live: ReturnType<typeof liveOf>
  before(() => {
    live = liveOf(all, resources)
  })

  it('is as its files say: nothing has drifted, nothing is missing, nothing is unread', () => {
    assert.deepEqual([live.drifted, live.missing, live.unread], [[], [], []])
    const at = (one: Resource | undefined) => one?.position([])
    for (const file of resources) {
      const found = live.resources.find(
        ({ id, object }) => id === file.id && object.apiVersion === file.object.apiVersion,
      )
      assert.deepEqual([found?.id, found?.layer, at(found)], [file.id, file.layer, at(file)])
    }
  })

  it('has the addresses of its own', () => {
    const { snapshot } = live
    assert.equal(snapshot.platform.dns.ip, '10.244.90.2')
    assert.equal(snapshot.platform.istiod.ip, '10.244.91.9')
    assert.equal(snapshot.platform.controlPlane.ip, '172.30.0.4')
    for (const pod of snapshot.pods.values()) assert.match(pod.ip, /^(10\.244\.(4|9)|172\.30\.0\.)/, pod.key)
    for (const service of snapshot.services.values())
      if (service.clusterIP !== undefined && !service.key.includes('-system/'))
        assert.match(service.clusterIP, /^10\.96\.(1|2)\d\d\./, service.key)
    assert.equal(snapshot.services.get('shop/shop-gateway-istio')?.external, true)
  })

  const settings: readonly (readonly [string, readonly string[]])[] = [
    ['every layer', layers],
    ['no layer', []],
    ...layers.map((one) => [`all but ${one}`, layers.filter((other) => other !== one)] as const),
  ]
  for (const [name, on] of settings) {
    it(`judges each scenario as its files do, with ${name}`, () => {
      const base = withLayers(on)
      const files = compile(base)
      const cluster = liveOf(served(base, files), resources).snapshot
      let told = 0
      for (const scenario of scenarios) {
        const own = scenario.given === undefined ? undefined : staged(scenario, base)
        // What some bring along is enough to be held once.
        if (own !== undefined && (on !== layers || flowOf(scenario.from, scenario.attempt) === undefined)) continue
        if ((scenario.needs ?? []).some((layer) => !on.includes(layer))) continue
        const before = own === undefined ? files : compile(own)
        const after = own === undefined ? cluster : liveOf(served(own, before), [...resources, ...own]).snapshot
        assert.deepEqual(judged(scenario, after), judged(scenario, before), scenario.id)
        told += 1
      }
      assert.ok(told > 100, String(told))
    })
  }
})
