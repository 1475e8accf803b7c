import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseManifests } from '@bulkhead/resources'
import { judge } from '@bulkhead/verdict'
import {
  ask,
  atTheDoor,
  changed,
  chromeOnMac,
  connect,
  said,
  seed,
  snapshotOf,
  walkedPast,
} from './testing/seed-gthulhu.js'

/*
 * The two authorization policies of the seeds, with their gateway and their waypoint: what they let through, and what becomes of the
 * first thing that somebody would mend.
 */

const { workloads, ambient, gateway, waypoint, managerPolicy, chromeOnly } = seed
const all = [ambient, gateway, waypoint, managerPolicy, chromeOnly] as const
const installed = snapshotOf(workloads, ...all)
const refusedAtWaypoint = 'waypoint authz.no-rule-allows, rbac-403'
const refusedAtDoor = 'gateway authz.no-rule-allows, rbac-403'
const service = 'metadata: { name: gthulhu-manager, namespace: default }\nspec:\n  selector: { app.kubernetes.io/name'
const optedIn = changed(
  'workloads.yaml',
  service,
  service.replace(' }', ', labels: { istio.io/ingress-use-waypoint: "true" } }'),
)

describe('manager-allow-scheduler-or-chrome', () => {
  it('is walked past by the gateway: it is not what protects the manager', () => {
    const flow = atTheDoor('/api/v1/users', chromeOnMac)
    assert.equal(said(flow, installed), 'allow')
    assert.ok(walkedPast(flow, installed).includes('ingress'))
    const without = snapshotOf(workloads, ambient, gateway, waypoint, chromeOnly)
    assert.equal(said(flow, without), 'allow', 'as without it')
  })

  it('closes the whole page, once the Service says that the gateway is to go by the waypoint', () => {
    const snapshot = snapshotOf(optedIn, ...all)
    for (const path of ['/', '/assets/app.js', '/api/v1/users', '/health'])
      assert.equal(said(atTheDoor(path, chromeOnMac), snapshot), refusedAtWaypoint, path)
  })

  it('lets it in with the gateway’s identity beside the scheduler’s: label and identity go together', () => {
    const named = changed(
      'manager-allow-scheduler-or-chrome.yaml',
      '              - cluster.local/ns/default/sa/gthulhu\n',
      '              - cluster.local/ns/default/sa/gthulhu\n              - cluster.local/ns/default/sa/gthulhu-gw-istio\n',
    )
    const snapshot = snapshotOf(optedIn, ambient, gateway, waypoint, named, chromeOnly)
    assert.equal(said(atTheDoor('/', chromeOnMac), snapshot), 'allow')
    assert.equal(said(ask('attacker', 'gthulhu-manager', 8080), snapshot), refusedAtWaypoint)
  })

  it('stops who calls the Service, and nobody who calls the pod or is out of the mesh', () => {
    assert.equal(said(ask('attacker', 'gthulhu-manager', 8080), installed), refusedAtWaypoint)
    const pod = connect('attacker', { pod: 'gthulhu-manager' }, 8080)
    assert.equal(said(pod, installed), 'allow')
    assert.deepEqual(walkedPast(pod, installed), ['pod-address'])
    const plain = ask('plain', 'gthulhu-manager', 8080)
    assert.equal(said(plain, installed), 'allow')
    assert.deepEqual(walkedPast(plain, installed), ['not-captured'])
  })

  it('names the scheduler, which may then ask for anything, and no Chrome whatever its name says', () => {
    for (const [method, path] of [
      ['GET', '/api/v1/users'],
      ['DELETE', '/api/v1/strategies'],
    ] as const)
      assert.equal(said(ask('gthulhu-scheduler', 'gthulhu-manager', 8080, path, method), installed), 'allow', path)
    const browser = ask('attacker', 'gthulhu-manager', 8080)
    const asChrome = { ...browser, http: { method: 'GET', path: '/', headers: { 'user-agent': chromeOnMac } } }
    assert.equal(said(asChrome, installed), refusedAtWaypoint)
  })

  it('has no namespace: applied from elsewhere it is of no Service at all, and everybody is let in', () => {
    assert.deepEqual(
      managerPolicy.map(({ id }) => id),
      ['AuthorizationPolicy/default/manager-allow-scheduler-or-chrome'],
    )
    const elsewhere = changed(
      'manager-allow-scheduler-or-chrome.yaml',
      '  name: manager-allow-scheduler-or-chrome\n',
      '  name: manager-allow-scheduler-or-chrome\n  namespace: elsewhere\n',
    )
    const snapshot = snapshotOf(workloads, ambient, gateway, waypoint, elsewhere)
    assert.equal(said(ask('attacker', 'gthulhu-manager', 8080), snapshot), 'allow')
  })
})

describe('a whole namespace behind the waypoint', () => {
  const billing = ask('attacker', 'billing', 8080)
  const byWaypoint = (flow: typeof billing, snapshot = installed): boolean =>
    judge(flow, snapshot).hops.some(({ to }) => to === 'default/waypoint')

  it('has everybody’s Services there, the cluster’s own among them, and not only the one that a policy is for', () => {
    assert.ok(byWaypoint(ask('gthulhu-scheduler', 'gthulhu-manager', 8080)))
    assert.ok(byWaypoint(billing))
    assert.ok(byWaypoint(connect('attacker', { service: 'kubernetes' }, 443)))
    assert.equal(said(billing, installed), 'allow', 'unguarded: the policy is for the manager alone')
  })

  it('closes them when its one waypoint is closed, which nobody asked of it', () => {
    const empty = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: nothing, namespace: default }
spec: { targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: waypoint }] }`
    const closed = snapshotOf(workloads, ...all, parseManifests(empty, 'empty.yaml').resources)
    assert.equal(said(billing, closed), refusedAtWaypoint)
  })

  it('is not needed: with the label on the one Service the others stay as they were', () => {
    const mesh = changed('ambient.yaml', '    istio.io/use-waypoint: waypoint\n', '')
    const labelled = changed(
      'workloads.yaml',
      service,
      service.replace(' }', ', labels: { istio.io/use-waypoint: waypoint } }'),
    )
    const snapshot = snapshotOf(labelled, mesh, gateway, waypoint, managerPolicy)
    assert.ok(!byWaypoint(billing, snapshot))
    assert.ok(!byWaypoint(connect('attacker', { service: 'kubernetes' }, 443), snapshot))
    assert.equal(said(ask('attacker', 'gthulhu-manager', 8080), snapshot), refusedAtWaypoint)
  })
})

describe('gthulhu-gateway-allow-chrome-only', () => {
  const mozilla = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)'
  const windows = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)'
  const agents: readonly (readonly [who: string, userAgent: string, letIn: boolean])[] = [
    ['Chrome on a Mac', chromeOnMac, true],
    ['a script that says it is', `${mozilla} Chrome/`, true],
    ['Edge on a Mac', `${chromeOnMac} Edg/131.0.0.0`, true],
    ['Chrome on Windows', `${windows} Chrome/131.0.0.0 Safari/537.36`, false],
    ['Safari', `${mozilla} Version/17.6 Safari/605.1.15`, false],
    ['what the seeds call Safari', 'Safari/605.1.15', false],
    ['Firefox', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:132.0) Gecko/20100101 Firefox/132.0', false],
    ['curl', 'curl/8.9.1', false],
    ['the same in small letters', chromeOnMac.toLowerCase(), false],
  ]
  for (const [who, userAgent, letIn] of agents) {
    it(`${letIn ? 'lets in' : 'keeps out'} ${who}`, () => {
      for (const path of ['/', '/health', '/api/v1/auth/login'])
        assert.equal(said(atTheDoor(path, userAgent), installed), letIn ? 'allow' : refusedAtDoor, path)
    })
  }

  it('keeps out who says nothing of himself', () => {
    const { http, ...flow } = atTheDoor('/', '')
    assert.ok(http)
    assert.equal(said({ ...flow, http: { method: 'GET', path: '/', host: 'x' } }, installed), refusedAtDoor)
  })

  it('was all that a curl to /health met: before it, anything was let in', () => {
    const without = snapshotOf(workloads, ambient, gateway, waypoint, managerPolicy)
    assert.equal(said(atTheDoor('/health', 'curl/8.9.1'), without), 'allow')
  })
})
