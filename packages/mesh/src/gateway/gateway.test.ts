import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { eventually } from '@bulkhead/testing'
import { request } from 'undici'
import { FRONT, forward, identityOf, redirect, respond, shop, undecided } from '../testing/fake-snapshot.js'
import { recordOf, startRig } from '../testing/harness.js'
import { door, serve } from '../testing/http.js'

const GATEWAY = identityOf(FRONT)

describe('a request from outside', () => {
  it('goes to a pod in the mesh as the gateway, over HBONE, and has one record of both hops', async (t) => {
    const rig = await startRig(t, { snapshot: shop({ gateway: {}, allow: { 'shop/web-api': [GATEWAY] } }) })
    await serve(rig, 'shop/web-api', (message, response) => {
      response.setHeader('set-cookie', ['a=1', 'b=2'])
      response.setHeader('server', 'own')
      response.end(JSON.stringify({ url: message.url, headers: message.headers }))
    })
    const { port } = await door(t, rig)
    const answer = await request(`http://127.0.0.1:${port}/a/b?c=d`, {
      headers: { host: 'shop.test', connection: 'keep-alive', 'x-own': 'kept', 'x-envoy-retry-on': '5xx' },
    })
    assert.equal(answer.statusCode, 200)
    assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2'])
    assert.equal(answer.headers.server, 'istio-envoy')
    const { url, headers } = JSON.parse(await answer.body.text())
    assert.equal(url, '/a/b?c=d')
    assert.equal(headers.host, 'shop.test')
    assert.equal(headers['x-own'], 'kept')
    assert.equal(headers['x-envoy-retry-on'], undefined)
    assert.equal(headers['x-forwarded-for'], '172.18.0.1')
    assert.equal(headers['x-forwarded-proto'], 'http')
    assert.match(headers['x-request-id'], /^[0-9a-f-]{36}$/)

    const record = await recordOf(rig.mesh, 'run')
    assert.equal(record.transport, 'http')
    assert.deepEqual(record.http, {
      method: 'GET',
      host: 'shop.test',
      path: '/a/b?c=d',
      status: 200,
      route: 'HTTPRoute/shop/front',
      upstream: 'shop/web-api',
    })
    assert.deepEqual(
      record.steps.map(({ hop, point, code }) => `${hop} ${point} ${code}`),
      [
        '0 cni-ingress network.no-policy',
        '0 gateway authz.no-allow-policy',
        '0 gateway route.forwards',
        '1 cni-egress network.no-policy',
        '1 cni-ingress network.no-policy',
        '1 ztunnel authz.rule-allows',
      ],
    )
    assert.deepEqual([record.outcome, record.symptom, record.flag], ['allow', 'ok', '-'])
    assert.deepEqual(record.source, { ip: '172.18.0.1' })
    assert.equal(record.destination.pod, FRONT)
    const [tunnel] = rig.mesh.tunnels().open
    assert.deepEqual([tunnel?.source, tunnel?.identity, tunnel?.target], [FRONT, GATEWAY, 'shop/web-api'])
  })

  it('is refused, routed or sent away as policies and routes say', async (t) => {
    const cases = [
      ['allowed', { policy: () => 'allow' }, [200, 'served', 'ok', 'allow', '-']],
      ['denied', { policy: () => 'deny' }, [403, 'RBAC: access denied', 'rbac-403', 'deny', 'DENY']],
      ['undecided', { policy: () => 'unknown' }, [403, 'RBAC: access denied', 'rbac-403', 'unknown', 'DENY']],
      ['without a route', { route: () => respond(404) }, [404, '', 'gateway-404', 'deny', '-']],
      ['without a backend', { route: () => respond(500) }, [500, '', 'gateway-500', 'deny', '-']],
      ['with an undecided route', { route: () => undecided }, [500, '', 'gateway-500', 'unknown', 'DENY']],
      ['sent away', { route: () => redirect('http://else.test/') }, [302, '', 'redirected', 'allow', '-']],
      [
        'to a Service without ready pods',
        { route: (asked) => forward(asked, ['recommendation']) },
        [503, 'no healthy upstream', 'gateway-503', 'deny', 'NO_ENDPOINT'],
      ],
    ] satisfies readonly [string, NonNullable<Parameters<typeof shop>[0]>['gateway'], readonly unknown[]][]
    const rig = await startRig(t, { snapshot: shop({ gateway: {} }) })
    rig.mesh.setReady('shop/recommendation', false)
    await serve(rig, 'shop/web-api', (_message, response) => response.end('served'))
    let generation = 0
    for (const [what, gateway, expected] of cases) {
      generation += 1
      rig.mesh.swap(shop({ gateway }), generation)
      const { port } = await door(t, rig, what)
      const answer = await request(`http://127.0.0.1:${port}/`)
      const body = await answer.body.text()
      const record = await recordOf(rig.mesh, what)
      const { symptom, outcome, flag } = record
      assert.deepEqual([answer.statusCode, body, symptom, outcome, flag], expected, what)
      assert.equal(record.http?.status, answer.statusCode, what)
      assert.equal(record.generation, generation, what)
      assert.equal(answer.headers.server, 'istio-envoy', what)
      if (answer.statusCode === 302) assert.equal(answer.headers.location, 'http://else.test/')
      await eventually(`one record of ${what}`, () => rig.mesh.flows({ run: what }).length === 1)
    }
  })
})
