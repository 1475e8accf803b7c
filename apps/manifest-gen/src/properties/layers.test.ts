import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compile, type Flow, judge, outsideAddress, type Snapshot } from '@bulkhead/verdict'
import fc from 'fast-check'
import { descriptions } from '../testing/arbitrary.js'
import { asks, type Question } from '../testing/asked.js'
import { destinations, flowOf, isProxy, requests, runs, workloads } from '../testing/asking.js'
import { connecting, k8s, type Made, made } from '../testing/k8s.js'

/** hello-app's way out is all in 30-cilium, so where that is on without 20-network no other file opens it another one. */
const isShut = (from: string, layers: readonly string[]): boolean =>
  from === 'demo/hello-app' && layers.includes('30-cilium') && !layers.includes('20-network')

const withLayers = ({ resources }: Made, layers: readonly string[]): Snapshot =>
  compile([...k8s, ...resources].filter(({ layer }) => layer === undefined || layers.includes(layer)))

test('with any of the layers on or off, what was asked for works', () => {
  const on = fc.subarray([...connecting])
  fc.assert(
    fc.property(descriptions, on, (raw, layers) => {
      const one = made(raw)
      const { description } = one
      const snapshot = withLayers(one, layers)
      const waypointsOn = layers.includes('60-requests')
      for (const from of workloads(snapshot)) {
        if (isProxy(snapshot, from)) continue
        for (const { to, port } of destinations(snapshot))
          for (const request of requests) {
            const question: Question = { from, to, port, ...request }
            if (!asks(description, question, waypointsOn) || isShut(from, layers)) continue
            const { outcome, text } = judge(flowOf(question), snapshot)
            assert.equal(outcome, 'allow', `${JSON.stringify(raw)} with ${layers.join(' and ')}\n${text}`)
          }
      }
    }),
    { numRuns: runs },
  )
})

/** A description in which everything is: who calls straight, or by a waypoint; a stranger is neither. */
const straight = {
  name: 'worker-app',
  namespace: 'demo',
  image: 'localhost/bulkhead/probe:0.1.0',
  port: 8080,
  callers: ['shop/sleep'],
  calls: ['demo/postgres:5432'],
}
const byWaypoint = {
  ...straight,
  callers: [{ namespace: 'shop', name: 'sleep', methods: ['GET'], paths: ['/a/*'] }],
  calls: [],
}

const itself = { workload: 'demo/worker-app' }
const sleep = { namespace: 'shop', labels: { app: 'sleep' }, serviceAccount: 'sleep' }
/** A pod of demo in which somebody has opened a port beside the one that is meant. */
const debugged = (app: string): Flow['to'] => ({
  namespace: 'demo',
  labels: { app },
  serviceAccount: app,
  ports: [{ port: 9229 }],
})
const get = (path: string, method = 'GET'): Pick<Flow, 'http'> => ({ http: { method, path, host: 'worker-app.demo' } })

interface Wall {
  readonly layer: string
  readonly raw: object
  readonly stops: Readonly<Record<string, Flow>>
  /** The same but for what the wall looks at. */
  readonly lets: Flow
}

const walls: readonly Wall[] = [
  {
    layer: '20-network',
    raw: straight,
    stops: {
      'somebody else’s packet': { from: { workload: 'shop/notsleep' }, to: itself, port: 8080 },
      'plain text to the app’s port, with the caller’s labels': {
        from: { ...sleep, mesh: false },
        to: itself,
        port: 8080,
      },
      'a packet from outside': { from: { external: outsideAddress }, to: itself, port: 8080 },
      'its own packet to somebody else': { from: itself, to: { workload: 'demo/hello-app' }, port: 8000 },
      'its own packet to the outside': { from: itself, to: { host: 'drop.attacker.example' }, port: 443 },
    },
    lets: { from: sleep, to: itself, port: 8080 },
  },
  {
    layer: '30-cilium',
    raw: straight,
    stops: {
      'the outside': { from: itself, to: { host: 'drop.attacker.example' }, port: 443 },
      'the Kubernetes API': { from: itself, to: { service: 'default/kubernetes' }, port: 443 },
      'a node': { from: itself, to: { node: 'bulkhead-worker2' }, port: 10250 },
      'the metadata service': { from: itself, to: { ip: '169.254.169.254' }, port: 80 },
    },
    lets: { from: itself, to: { workload: 'demo/postgres' }, port: 5432 },
  },
  {
    layer: '40-mtls',
    raw: straight,
    stops: { 'a caller without a certificate': { from: { ...sleep, mesh: false }, to: itself, port: 8080 } },
    lets: { from: sleep, to: itself, port: 8080 },
  },
  {
    layer: '50-identity',
    raw: straight,
    stops: {
      'the caller’s labels without its account': {
        from: { ...sleep, serviceAccount: 'notsleep' },
        to: itself,
        port: 8080,
      },
      'the caller, at another port': { from: sleep, to: debugged('worker-app'), port: 9229 },
      'its own call to another port of what it may call': {
        from: itself,
        to: debugged('postgres'),
        port: 9229,
      },
    },
    lets: { from: sleep, to: itself, port: 8080 },
  },
  {
    layer: '60-requests',
    raw: byWaypoint,
    stops: {
      'another method': { from: sleep, to: { service: 'demo/worker-app' }, port: 8080, ...get('/a/b', 'DELETE') },
      'another path': { from: sleep, to: { service: 'demo/worker-app' }, port: 8080, ...get('/b') },
      'somebody else': {
        from: { workload: 'shop/notsleep' },
        to: { service: 'demo/worker-app' },
        port: 8080,
        ...get('/a/b'),
      },
      'the way round the waypoint': { from: sleep, to: itself, port: 8080, ...get('/a/b') },
    },
    lets: { from: sleep, to: { service: 'demo/worker-app' }, port: 8080, ...get('/a/b') },
  },
]

/** Its own objects of this layer and nobody else's, not even the namespace's; without one, none at all. */
function alone(raw: object, layer?: string): Snapshot {
  const { resources } = made(raw)
  const workloadsOfK8s = k8s.filter((one) => one.layer === undefined)
  return compile([...workloadsOfK8s, ...resources.filter((one) => one.layer === undefined || one.layer === layer)])
}

for (const { layer, raw, stops, lets } of walls) {
  test(`${layer}, its own part of it all alone, stops what it is for`, () => {
    const [snapshot, open] = [alone(raw, layer), alone(raw)]
    assert.equal(judge(lets, snapshot).outcome, 'allow')
    for (const [what, flow] of Object.entries(stops)) {
      const { outcome, text } = judge(flow, snapshot)
      assert.equal(outcome, 'deny', `${what}: ${text}`)
      assert.equal(judge(flow, open).outcome, 'allow', `${what}, without it`)
    }
  })
}

test('its own waypoint opens what it needs to and no more, by 20-network alone', () => {
  const { resources } = made(byWaypoint)
  const own = resources.filter(
    ({ layer, kind }) => layer === undefined || layer === '20-network' || ['Gateway', 'ConfigMap'].includes(kind),
  )
  const snapshot = compile([...k8s.filter(({ layer }) => layer === undefined), ...own])
  const from = { workload: 'demo/worker-app-waypoint' }
  const outcome = (to: Flow['to'], port: number): string => judge({ from, to, port }, snapshot).outcome
  assert.equal(outcome({ workload: 'istio-system/istiod' }, 15012), 'allow')
  assert.equal(outcome(itself, 8080), 'allow')
  assert.equal(outcome({ workload: 'demo/hello-app' }, 8000), 'deny')
  assert.equal(outcome({ host: 'drop.attacker.example' }, 443), 'deny')
})
