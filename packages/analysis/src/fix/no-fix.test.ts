import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Flow } from '@bulkhead/verdict'
import { explain } from '../explain.js'
import { gateway, route, ruleTo } from '../testing/gateway.js'
import {
  allow,
  authorizationPolicy,
  ciliumPolicy,
  type Manifest,
  namespace,
  networkPolicy,
  peerAuthentication,
  service,
  snapshotOf,
  workload,
} from '../testing/objects.js'
import { renderFix, renderNoFix } from './render.js'

/* What is said where no small change would do, and why. */

const scene = [
  namespace('a'),
  workload('a/web', { ports: [{ containerPort: 8080 }] }),
  workload('a/app'),
  workload('a/outsider', { labels: { 'istio.io/dataplane-mode': 'none' } }),
  service('a/web'),
  gateway('a/gw', 'a.example'),
  route('a/r', 'gw', { rules: [ruleTo('web')] }),
]
const closed = networkPolicy('a/closed', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] })
const nothing = authorizationPolicy('a/allow-nothing', {})
const strict = peerAuthentication('a/default', 'STRICT')
const layers: Readonly<Record<string, string>> = {
  NetworkPolicy: '20-network',
  CiliumNetworkPolicy: '30-cilium',
  PeerAuthentication: '40-mtls',
  AuthorizationPolicy: '50-identity',
}
const said = (flow: Flow, ...more: readonly Manifest[]) =>
  explain(flow, snapshotOf([...scene, ...more], { layerOf: ({ kind }) => layers[kind] }))

const byGateway: Flow = {
  from: { workload: 'a/app' },
  to: { service: 'a/gw-istio' },
  port: 80,
  http: { method: 'GET', path: '/', host: 'a.example' },
}

test('more walls than a small change has parts: it is said how many, and whose', () => {
  const { verdict, fix, noFix } = said(byGateway, closed, nothing)
  assert.equal(verdict.outcome, 'deny')
  assert.equal(fix, undefined)
  assert.deepEqual(noFix, { why: 'too-many', edits: 4, where: ['20-network', '50-identity'] })
  assert.equal(
    renderNoFix(noFix),
    'no small change would allow it: more than 4 would be needed, in 20-network and 50-identity\n',
  )
  // With fewer walls there is one.
  assert.equal(said(byGateway, closed).noFix, undefined)
  assert.ok(renderFix(said(byGateway, closed).fix ?? { edits: [], alsoOpens: [] }).startsWith('to allow it: '))
})

test('a deny rule stays whatever is added: it is named', () => {
  const flow: Flow = { from: { workload: 'a/app' }, to: { ip: '192.0.2.1' }, port: 443 }
  const noWorld = ciliumPolicy('a/no-world', {
    endpointSelector: {},
    egressDeny: [{ toEntities: ['world'] }],
    enableDefaultDeny: { egress: false },
  })
  const { fix, noFix } = said(flow, noWorld)
  assert.equal(fix, undefined)
  assert.deepEqual({ ...noFix, by: undefined }, { why: 'in-the-way', edits: 0, where: [], by: undefined })
  assert.match(
    renderNoFix(noFix ?? { why: 'too-many', edits: 0, where: [] }),
    /^no small change would allow it: no addition to a policy opens this:\n {13}30-cilium: rule 0 of CiliumNetworkPolicy\/a\/no-world denies it \(test\.yaml:\d+\)\n$/,
  )
})

test('a wall that can be opened, with nothing behind it', () => {
  const { noFix } = said({ from: { workload: 'a/app' }, to: { workload: 'a/web' }, port: 9999 }, nothing)
  assert.match(
    renderNoFix(noFix ?? { why: 'too-many', edits: 0, where: [] }),
    /^no small change would allow it: with 1 in 50-identity there would still be this, which no addition to a policy opens:\n {13}.*9999/,
  )
})

test('where no policy decides nothing is said of policies', () => {
  const flow: Flow = { from: { workload: 'a/app' }, to: { workload: 'a/web' }, port: 9999 }
  assert.deepEqual(Object.keys(said(flow)), ['verdict'])
  assert.deepEqual(Object.keys(said({ ...flow, port: 8080 })), ['verdict'])
})

test('a caller that needs an identity gets it first: with one it sends other packets, and only those are let through', () => {
  const { fix } = said(
    { from: { workload: 'a/outsider' }, to: { workload: 'a/web' }, port: 8080 },
    closed,
    strict,
    allow('a/web', 'web', ['app']),
  )
  assert.deepEqual(
    fix?.edits.map(({ object, says }) => [object, /\d+\/TCP/.exec(says)?.[0]]),
    [
      ['Deployment/a/outsider', undefined],
      ['NetworkPolicy/a/outsider-to-web', '15008/TCP'],
      ['NetworkPolicy/a/web-from-outsider', '15008/TCP'],
      ['AuthorizationPolicy/a/web', undefined],
    ],
  )
})
