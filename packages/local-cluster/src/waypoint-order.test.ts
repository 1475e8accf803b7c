import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import type { Pod, Snapshot } from '@bulkhead/verdict'
import type { Compiled } from './lingering.js'
import type { SeenPod } from './seen-pod.js'
import { pod, resource } from './testing.js'
import { WaypointOrder } from './waypoint-order.js'

const key = 'shop/waypoint'
const gateway = resource({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name: 'waypoint', namespace: 'shop' },
  spec: { gatewayClassName: 'istio-waypoint', listeners: [] },
})
const policy = resource({
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { name: 'past', namespace: 'shop' },
  spec: { action: 'DENY' },
})
const itsPod: Pod = { ...pod, key: 'shop/waypoint-1', waypoint: key }

function compiled(resources: readonly Resource[]): Compiled {
  const has = resources.includes(gateway)
  const snapshot = {
    resources,
    waypoints: new Map(has ? [[key, {}]] : []),
    pods: new Map([pod, ...(has ? [itsPod] : [])].map((one) => [one.key, one])),
  } as unknown as Snapshot
  return { plain: snapshot, snapshot, plans: new Map() }
}

const names = (resources: readonly Resource[]) => resources.map(({ name }) => name).join(' ')

/** A target on which steps are only told of, in their order; a step's pods are `ready` when it has settled. */
function world(from: readonly Resource[], readyOnce: readonly string[], ready = true) {
  let now = compiled(from).plain
  let isReady = readyOnce.length > 0
  const told: string[] = []
  const order: WaypointOrder = new WaypointOrder(new Set(readyOnce), {
    pods: { seen: () => [{ pod: itsPod, ready: () => isReady } as SeenPod].values() },
    now: () => ({ plain: now, snapshot: now }),
    compile: async (resources, counted) => {
      told.push(`compile ${names(resources)}, by ${[...counted].join(' ') || 'none'}`)
      return compiled(resources)
    },
    swap: ({ resources }) => void told.push(`swap ${names(resources)}`),
    aim: (plain) => {
      const removed = plain.pods.size > 1 ? new Map([[itsPod.key, key]]) : new Map<string, string>()
      now = plain
      return { added: new Map(), removed: new Map([...removed, ['shop/other', 'shop/other']]) }
    },
    settled: async ({ removed }) => {
      told.push(`settled ${[...removed.keys()].join(' ')}`)
      isReady = ready
    },
  })
  const readies = () => {
    isReady = true
  }
  return { order, told, readies }
}

test('a waypoint that comes is ready before what is wanted, and counts from then on', async () => {
  const { order, told } = world([], [])
  const wanted = [gateway, policy]
  assert.equal(await order.prepare(wanted, compiled(wanted)), true)
  assert.deepEqual(told, ['compile waypoint, by none', 'swap waypoint', 'settled shop/waypoint-1 shop/other'])
  assert.deepEqual([...order.readyOnce], [key])
  // It is there: nothing comes before anything.
  assert.equal(await order.prepare(wanted, compiled(wanted)), false)
})

test('one that does not become ready in time is gone past, until a pod of it is', async () => {
  const { order, readies } = world([], [], false)
  await order.prepare([gateway], compiled([gateway]))
  assert.deepEqual([[...order.readyOnce], order.seen()], [[], []])
  readies()
  assert.deepEqual(order.seen(), [key])
  order.count(order.seen())
  assert.deepEqual([[...order.readyOnce], order.seen()], [[key], []])
})

test('from one that goes nobody is sent by it any more, and its own pods are waited for', async () => {
  const { order, told } = world([gateway], [key])
  assert.equal(await order.prepare([policy], compiled([policy])), true)
  assert.deepEqual(told, ['compile past waypoint, by none', 'swap past waypoint', 'settled shop/waypoint-1'])
  assert.deepEqual([...order.readyOnce], [])
})

test('one that a change takes away and brings anew has not been ready', () => {
  const { order } = world([gateway], [key])
  const anew = new Map([['never', { objects: [gateway], without: new Set(['Gateway/shop/waypoint']), given: {} }]])
  assert.deepEqual([...order.surviving(new Map(), new Map())], [key])
  assert.deepEqual([...order.surviving(new Map(), anew)], [])
  assert.deepEqual([...order.readyOnce], [key], 'until it is in force')
  order.keep(order.surviving(new Map(), anew))
  assert.deepEqual([...order.readyOnce], [])
})
