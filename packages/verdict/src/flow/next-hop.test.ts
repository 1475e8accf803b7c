import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject } from '@bulkhead/resources'
import { gateway, resource, service } from '../testing/objects.js'
import { snapshotWith } from '../testing/scene.js'
import { withWaypoint } from '../testing/waypoint-scene.js'
import type { Pod } from '../types.js'
import { lookUp } from './look-up.js'
import { nextHop } from './next-hop.js'

const snapshot = snapshotWith(service('app/headless', { headless: true, selector: { app: 'dst' } }))

function pod(workload: string): Pod {
  const found = [...snapshot.pods.values()].find((candidate) => candidate.workload === workload)
  assert.ok(found)
  return found
}

test('HBONE only between captured pods, and only for TCP', () => {
  const hop = (from: string, to: string, protocol: 'TCP' | 'UDP' = 'TCP'): string => {
    const { transport, tuple, as } = nextHop(
      { source: pod(from), destination: pod(to), port: 8080, protocol },
      snapshot,
    )
    return `${transport} ${tuple.port} ${as ?? 'nobody'}`
  }
  assert.equal(hop('app/src', 'app/dst'), 'hbone 15008 spiffe://cluster.local/ns/app/sa/src')
  assert.equal(hop('app/src', 'app/uncaptured'), 'plaintext 8080 nobody')
  assert.equal(hop('plain/src', 'app/dst'), 'plaintext 8080 nobody')
  assert.equal(hop('app/src', 'app/dst', 'UDP'), 'plaintext 8080 nobody')
  const out = nextHop({ source: pod('app/src'), destination: { ip: '1.1.1.1' }, port: 443 }, snapshot)
  assert.deepEqual([out.transport, out.tuple.dst, out.tuple.port], ['plaintext', '1.1.1.1', 443])
})

test('what is not modelled of a gateway’s way is told to whom would send there', () => {
  const rule = resource({
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: 'tls', namespace: 'app' },
    spec: { host: 'dst', trafficPolicy: { tls: { mode: 'DISABLE' } } },
  } as KubernetesObject)
  const behind = snapshotWith(rule, gateway('app/gw'))
  const find = (workload: string): Pod => {
    const found = [...behind.pods.values()].find((candidate) => candidate.workload === workload)
    assert.ok(found)
    return found
  }
  const unread = (from: string, to: string, port: number, name: string): unknown => {
    const one = behind.services.get(name)
    assert.ok(one)
    return nextHop({ source: find(from), destination: find(to), port, service: one }, behind).unread?.what
  }
  assert.equal(unread('app/gw-istio', 'app/dst', 8080, 'app/dst'), 'a DestinationRule with TLS of its own')
  assert.equal(unread('app/gw-istio', 'app/uncaptured', 8080, 'app/dst'), 'a DestinationRule with TLS of its own')
  assert.equal(unread('app/src', 'app/dst', 8080, 'app/dst'), undefined)
  const itself = 'a gateway behind a gateway (app/gw-istio)'
  assert.equal(unread('app/gw-istio', 'app/gw-istio', 80, 'app/gw-istio'), itself)
  assert.equal(unread('app/gw-istio', 'app/gw-istio', 15021, 'app/gw-istio'), undefined)
  assert.equal(unread('app/src', 'app/gw-istio', 80, 'app/gw-istio'), undefined)
})

test('a waypoint: where the packet goes, as whom, and what it is asked for there', () => {
  const behind = withWaypoint([gateway('app/gw')])
  const find = (workload: string): Pod =>
    [...behind.pods.values()].find((one) => one.workload === workload) ?? assert.fail()
  const dst = behind.services.get('app/dst') ?? assert.fail()
  const destination = find('app/dst')
  const request = { source: find('app/src'), destination, port: 8080, service: dst }
  const of = nextHop({ ...request, servicePort: 80 }, behind)
  assert.deepEqual(
    [of.transport, of.tuple.dst, of.tuple.port, of.as],
    ['hbone', find('app/wp').ip, 15008, find('app/src').identity],
  )
  const target = { ip: dst.clusterIP, port: 80 }
  assert.deepEqual(of.waypoint, { key: 'app/wp', pod: find('app/wp'), target })
  // The port of the Service that leads there, where nobody says which.
  assert.deepEqual(nextHop(request, behind).waypoint?.target, target)
  // A Service without a pod is asked for by its address.
  const nobody = {
    source: find('app/src'),
    destination: { ip: dst.clusterIP ?? '' },
    port: 80,
    service: dst,
    servicePort: 80,
  }
  assert.deepEqual(nextHop(nobody, behind).waypoint?.target, target)
  // Not for a gateway, unless the Service says so; not for a waypoint; not for what is no TCP.
  assert.equal(nextHop({ ...request, source: find('app/gw-istio') }, behind).past?.why, 'ingress')
  const own = nextHop({ ...request, source: find('app/wp') }, behind)
  assert.deepEqual(
    [own.waypoint, own.past, own.as, own.tuple.dst],
    [undefined, undefined, find('app/wp').identity, destination.ip],
  )
  const udp = nextHop({ ...request, protocol: 'UDP' }, behind)
  assert.deepEqual([udp.waypoint, udp.past], [undefined, undefined])
})

test('what a dialled host leads to', () => {
  const from = pod('app/src')
  const kind = (host: string): string => lookUp(host, from, snapshot).kind
  assert.equal(kind('dst'), 'service')
  assert.equal(kind(snapshot.services.get('app/dst')?.clusterIP ?? ''), 'service')
  assert.equal(kind(pod('app/dst').ip), 'pod')
  assert.equal(kind(`::ffff:${pod('app/dst').ip}`), 'pod')
  for (const own of ['localhost', 'LOCALHOST.', 'x.localhost', '127.3.3.3', '::1', from.ip, from.name]) {
    assert.equal(kind(own), 'loopback', own)
  }
  assert.equal(kind('172.18.0.3'), 'node')
  assert.equal(kind('example.com'), 'outside')
  assert.equal(kind('8.8.8.8'), 'outside')
  assert.equal(kind('nobody'), 'nowhere')
  assert.equal(kind('10.96.255.254'), 'nowhere')
})
