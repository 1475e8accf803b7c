import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import { pod, resource } from './testing.js'
import { bornOf, withLastWords, withWaypoints } from './waypoint-switch.js'

const gateway = resource({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'Gateway',
  metadata: { name: 'waypoint', namespace: 'shop' },
  spec: {
    gatewayClassName: 'istio-waypoint',
    listeners: [],
    infrastructure: { parametersRef: { group: '', kind: 'ConfigMap', name: 'overlay' } },
  },
})
const overlay = resource({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'overlay', namespace: 'shop' } })
const other = resource({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other', namespace: 'shop' } })
const policy = (name: string, spec: object, namespace = 'shop') =>
  resource({ apiVersion: 'security.istio.io/v1', kind: 'AuthorizationPolicy', metadata: { name, namespace }, spec })
const selector = { matchLabels: { app: 'web-api' } }
const allow = policy('waypoint', { action: 'ALLOW', selector })
const deny = policy('past', { action: 'DENY', selector })
const atWaypoint = policy('requests', { targetRefs: [{ kind: 'Service', name: 'web-api' }] })
const ids = (resources: readonly Resource[]) => resources.map(({ id }) => id.replace(/^.*\//, '')).sort()

test('before its policies comes a Gateway, with what it is made after', () => {
  const wanted = [other, gateway, overlay, allow, deny, atWaypoint]
  assert.deepEqual(ids(withWaypoints([other], wanted, ['shop/waypoint'])), ['other', 'overlay', 'waypoint'])
  // What is there under that name gives way.
  const older = resource({ ...gateway.object, spec: { gatewayClassName: 'istio-waypoint', listeners: [] } } as never)
  assert.ok(withWaypoints([older], wanted, ['shop/waypoint']).includes(gateway))
  assert.deepEqual(withWaypoints([other], wanted, ['shop/another']), [other])
})

test('after its policies goes a Gateway; what lets it in stays where pods let in by name anyhow, and no DENY does', () => {
  const now = [other, gateway, overlay, allow, deny, atWaypoint]
  const kept = (...wanted: readonly Resource[]) => ids(withLastWords(now, wanted, ['shop/waypoint'], [pod]))
  // Without a policy at the pod it lets everybody in; an ALLOW for the waypoint alone would shut out all others.
  assert.deepEqual(kept(other), ['other', 'overlay', 'requests', 'waypoint'])
  const rest = ['other', 'overlay', 'requests', 'waypoint', 'waypoint']
  assert.deepEqual(kept(other, policy('own', { selector })), [...rest, 'own'].sort())
  assert.deepEqual(kept(other, policy('nothing', {})), [...rest, 'nothing'].sort())
  assert.deepEqual(kept(other, policy('root', {}, 'istio-system')), [...rest, 'root'].sort())
  // One of another namespace, for other pods or that denies does not close this one.
  for (const elsewhere of [
    policy('x', {}, 'demo'),
    policy('x', { selector: { matchLabels: { app: 'other' } } }),
    policy('x', { action: 'DENY', selector }),
    policy('x', { targetRefs: [{ kind: 'Service', name: 'web-api' }] }),
  ])
    assert.deepEqual(kept(other, elsewhere), ['other', 'overlay', 'requests', 'waypoint', 'x'])
})

test('a Gateway that a change takes away and brings is another one', () => {
  const change = (...without: readonly string[]) => ({ objects: [gateway], without: new Set(without) })
  const born = (one: ReturnType<typeof change>) => [...bornOf(new Map([['c', one]]))]
  assert.deepEqual(born(change()), [])
  assert.deepEqual(born(change('Gateway/shop/other')), [])
  for (const id of ['Gateway/shop/waypoint', 'Gateway.gateway.networking.k8s.io/shop/waypoint'])
    assert.deepEqual(born(change(id)), [['shop/waypoint', 'c']])
})
