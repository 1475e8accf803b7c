import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import { compile, judge } from '@bulkhead/verdict'
import { sourceOf } from './flow.js'
import { judgeWith, unexpected } from './judge/judge.js'
import { brought, broughtBy, root, scenarios } from './testing/in-force.js'
import { combinations, layers, resources } from './testing/repository.js'
import { missing } from './walls.js'

const judgeScenario = judgeWith(resources, brought)

describe('the scenarios, as the engine sees them', () => {
  it('has layers, and scenarios of both kinds', () => {
    assert.deepEqual(layers, ['20-network', '30-cilium', '40-mtls', '50-identity', '60-requests', '70-ingress'])
    assert.ok(scenarios.filter(({ kind }) => kind === 'attack').length >= 30)
    assert.ok(scenarios.some(({ kind }) => kind === 'legitimate'))
  })

  for (const on of combinations) {
    it(`is as every scenario expects with ${on.join(' and ') || 'no layer'} on`, () => {
      const wrong: string[] = []
      let judged = 0
      for (const scenario of scenarios) {
        if (missing(scenario, new Set(on)).length > 0) continue
        const view = judgeScenario(scenario, on)
        if (view === undefined) continue
        wrong.push(...unexpected(scenario, on, view).map((line) => `${scenario.id}: ${line}`))
        judged++
      }
      assert.deepEqual(wrong, [])
      assert.ok(judged >= 30)
    })
  }

  it('has one way in from outside to each of its pages, the gateways of 70-ingress', () => {
    const published = (on: readonly string[]): readonly string[] => {
      const inForce = resources.filter(({ layer }) => layer === undefined || on.includes(layer))
      return [...compile(inForce).services.values()].filter(({ external }) => external).map(({ key }) => key)
    }
    assert.deepEqual(published(layers.filter((layer) => layer !== '70-ingress')), [])
    const doors = {
      'demo/hello-gateway-istio': 30081,
      'gthulhu/gthulhu-gw-istio': 30450,
      'shop/shop-gateway-istio': 30080,
    }
    assert.deepEqual(published(layers).toSorted(), Object.keys(doors))
    const { services } = compile(resources)
    const nodePort = (service: string): number | undefined =>
      services.get(service)?.ports.find(({ port }) => port === 80)?.nodePort
    assert.deepEqual(Object.keys(doors).map(nodePort), Object.values(doors))
  })

  it('cannot be reached from outside past those gateways', () => {
    const services = { 'shop/web-api': 8080, 'shop/recommendation': 8080, 'shop/purchase-history': 8080 }
    const others = {
      'demo/hello-app': 8000,
      'demo/postgres': 5432,
      'manifest-gen/manifest-gen': 80,
      'sandbox/collector': 8080,
    }
    for (const [service, port] of Object.entries({ ...services, ...others })) {
      const flow = { from: sourceOf('outside'), to: { service }, port }
      const { outcome, symptom } = judge(flow, compile(resources.filter(({ layer }) => layer === undefined)))
      assert.deepEqual([outcome, symptom], ['deny', 'timeout'], service)
    }
  })

  it('has the labs that its scenarios point to', () => {
    const labs = scenarios.flatMap(({ lab }) => lab ?? [])
    assert.ok(labs.length > 0)
    for (const lab of new Set(labs)) assert.ok(existsSync(join(root, 'docs/labs', lab)), lab)
  })

  it('has no object whose name a scenario gets wrong', () => {
    const own = resources.map(({ id }) => id)
    for (const { id, given, change, expect } of scenarios) {
      const known = new Set([...own, ...broughtBy({ given, change }).map((one) => one.id)])
      const named = [
        ...(given?.without ?? []),
        ...(change?.without ?? []),
        ...expect.walls.flatMap(({ policy }) => policy ?? []),
      ]
      for (const object of named) assert.ok(known.has(object), `${id} names ${object}`)
    }
  })

  describe('is noticed when', () => {
    /** The scenarios that are wrong once a text in an object is another; what they bring along stands on top of it. */
    function wrongWith(id: string, from: string, to: string): readonly string[] {
      const changed = resources.map((resource) => {
        if (resource.id !== id) return resource
        const text = JSON.stringify(resource.object)
        assert.ok(text.includes(from), `${id} holds ${from}`)
        return { ...resource, object: JSON.parse(text.replace(from, to)) as Resource['object'] }
      })
      // With 20-network on too, much is stopped before it comes to the line; and what 60 stops 50 is not asked about.
      const without = (...off: readonly string[]) => layers.filter((layer) => !off.includes(layer))
      const sets = [layers, without('20-network'), without('20-network', '60-requests')]
      const judgeChanged = judgeWith(changed, brought)
      return scenarios
        .filter((scenario) =>
          sets.some((on) => {
            if (missing(scenario, new Set(on)).length > 0) return false
            const view = judgeChanged(scenario, on)
            return view !== undefined && unexpected(scenario, on, view).length > 0
          }),
        )
        .map(({ id: name }) => name)
        .sort()
    }

    const policy = (name: string): string => `AuthorizationPolicy/shop/${name}`
    // The test of the test: each line that is loosened is noticed by the scenarios that are about it, and by no others.
    const cases: readonly (readonly [what: string, id: string, from: string, to: string, by: readonly string[]])[] = [
      [
        'purchase-history lets one more caller in',
        policy('purchase-history-rbac'),
        'sa/recommendation"',
        'sa/recommendation","cluster.local/ns/shop/sa/web-api"',
        ['web-api-to-purchase-history'],
      ],
      [
        'the gateway lets more methods in',
        policy('shop-gateway-rbac'),
        '"methods":["GET","HEAD"],',
        '',
        ['intruder-posts-at-the-front-door', 'outside-posts'],
      ],
      [
        'the gateway lets more paths in',
        policy('shop-gateway-rbac'),
        '"paths":["/"]',
        '"notPaths":["/admin"]',
        ['outside-to-metrics', 'outside-to-metrics-in-disguise'],
      ],
      [
        'the gateway lets more hosts in',
        policy('shop-gateway-rbac'),
        '"hosts":["istioexplained.io",',
        '"hosts":["*",',
        ['outside-to-another-host'],
      ],
      [
        'the gateway answers for more hosts',
        'Gateway/shop/shop-gateway',
        '"hostname":"istioexplained.io",',
        '',
        ['outside-to-another-host-where-any-may-ask'],
      ],
      [
        'the waypoint lets sleep do more than read',
        policy('web-api-requests'),
        '"methods":["GET","HEAD"]',
        '"methods":["GET","HEAD","DELETE"]',
        ['sleep-deletes-at-web-api'],
      ],
      [
        'the waypoint lets schedulers ask for more than they have to report',
        'AuthorizationPolicy/gthulhu/manager-allow-scheduler-or-chrome',
        '"methods":["PUT"],"paths":["/api/v1/schedulers/{*}"]',
        '"methods":["GET","PUT"],"paths":["/api/v1/*"]',
        ['scheduler-climbs-out-of-its-path', 'scheduler-lists-users', 'scheduler-with-an-admins-token'],
      ],
      [
        'a scheduler may come around the waypoint',
        'AuthorizationPolicy/gthulhu/manager-only-by-waypoint',
        '"cluster.local/ns/gthulhu/sa/waypoint"',
        '"cluster.local/ns/gthulhu/sa/waypoint","cluster.local/ns/gthulhu-node/sa/gthulhu"',
        ['scheduler-to-the-managers-pod'],
      ],
      [
        'a forbidden path is all that is forbidden',
        policy('shop-gateway-rbac'),
        '"paths":["/"]',
        '"notPaths":["/metrics"]',
        ['outside-to-metrics-in-disguise'],
      ],
    ]
    for (const [what, id, from, to, by] of cases) it(what, () => assert.deepEqual(wrongWith(id, from, to), by))

    it('web-api does not know the gateway', () => {
      const legitimate = wrongWith(policy('web-api-rbac'), ',"cluster.local/ns/shop/sa/shop-gateway-istio"', '')
      assert.ok(legitimate.includes('outside-gets-the-chain'))
    })
  })
})
