import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { eventually } from '@bulkhead/testing'
import type { FlowRecord } from '@bulkhead/verdict'
import { identityOf, type Rules, shop, WAYPOINT } from '../testing/fake-snapshot.js'
import { recordOf, startRig } from '../testing/harness.js'
import { serve, text } from '../testing/http.js'
import { caller } from './testing.js'

const SLEEP = identityOf('shop/sleep')

async function start(t: TestContext, waypoint: Rules['waypoint'] = {}, rules: Rules = {}) {
  const rig = await startRig(t, { snapshot: shop({ ...rules, waypoint }) })
  await serve(rig, 'shop/web-api', async (message, response) => {
    response.setHeader('x-seen', JSON.stringify(message.rawHeaders))
    response.end(`served ${message.method} ${message.url} ${await text(message)}`)
  })
  return { rig, call: caller(rig) }
}

/** What a record says: outcome, symptom, flag, status, and its steps. */
const summary = ({ outcome, symptom, flag, http, steps }: FlowRecord) => [
  `${outcome}, ${symptom}, ${flag}, ${http?.status ?? '-'}`,
  ...steps.map(({ hop, point, code }) => `${hop} ${point} ${code}`),
]

describe('a waypoint', () => {
  it('lets a request on that its policies allow, as its own, and one record tells of both hops', async (t) => {
    const seen: unknown[] = []
    const policy: NonNullable<Rules['waypoint']>['policy'] = ({ peer, to, request }) => {
      seen.push([peer, 'service' in to && [to.service.key, to.port], request?.method, request?.path, request?.host])
      return 'allow'
    }
    const { rig, call } = await start(t, { policy }, { allow: { 'shop/web-api': [identityOf(WAYPOINT)] } })
    const { status, body } = await call('shop/sleep', 'GET', '/things?x=1')
    assert.deepEqual([status, body], [200, 'served GET /things?x=1 '])
    assert.deepEqual(seen, [
      [{ ip: '10.244.1.4', identity: SLEEP }, ['shop/web-api', 80], 'GET', '/things?x=1', 'web-api'],
    ])
    const record = await recordOf(rig.mesh, 'run')
    assert.deepEqual(summary(record), [
      'allow, ok, -, 200',
      '0 cni-egress network.no-policy',
      '0 cni-ingress network.no-policy',
      '0 waypoint authz.no-allow-policy',
      '1 cni-egress network.no-policy',
      '1 cni-ingress network.no-policy',
      '1 ztunnel authz.rule-allows',
    ])
    assert.equal(record.source.identity, SLEEP)
    assert.deepEqual([record.destination.service, record.http?.upstream], ['shop/web-api', 'shop/web-api'])
  })

  it('answers what its policies deny with 403, and the app hears nothing of it; the next request goes through', async (t) => {
    const policy: NonNullable<Rules['waypoint']>['policy'] = ({ request }) =>
      request?.method === 'DELETE' ? 'deny' : request?.method === 'PUT' ? 'unknown' : 'allow'
    const { rig, call } = await start(t, { policy })
    for (const method of ['DELETE', 'PUT']) {
      const { status, body, headers } = await call('shop/sleep', method, '/things')
      assert.deepEqual([method, status, body, headers.server], [method, 403, 'RBAC: access denied', 'istio-envoy'])
    }
    assert.equal((await call('shop/sleep', 'GET', '/things')).status, 200)
    const records = await eventually('three records', () => {
      const all = rig.mesh.flows({ run: 'run' })
      return all.length === 3 ? all : undefined
    })
    assert.deepEqual(
      records.map((record) => summary(record)[0]),
      ['deny, rbac-403, DENY, 403', 'unknown, rbac-403, DENY, 403', 'allow, ok, -, 200'],
    )
  })

  it("that the app's ztunnel denies gets 503, and who goes past it is judged as himself", async (t) => {
    const allow = { 'shop/web-api': [SLEEP] }
    const { rig, call } = await start(t, { past: ['shop/sleep'] }, { allow })
    const { status, body } = await call('shop/notsleep', 'GET', '/')
    assert.equal(status, 503)
    assert.match(
      body,
      /^upstream connect error or disconnect\/reset before headers. reset reason: connection termination$/,
    )
    const [denied] = rig.mesh.flows({ run: 'run' })
    assert.ok(denied)
    assert.equal(summary(denied)[0], 'deny, gateway-503, DENY, 503')
    assert.equal(summary(denied).at(-1), '1 ztunnel authz.no-rule-allows')
    assert.equal((await call('shop/sleep', 'GET', '/', 'past')).status, 200)
    const past = await recordOf(rig.mesh, 'past')
    assert.deepEqual(summary(past), [
      'allow, ok, -, -',
      '0 waypoint waypoint.walked-past',
      '0 cni-egress network.no-policy',
      '0 cni-ingress network.no-policy',
      '0 ztunnel authz.rule-allows',
    ])
  })
})
