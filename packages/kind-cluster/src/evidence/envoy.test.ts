import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { envoySighting } from './envoy.js'
import { neverMisled, said } from './testing.js'

const ending = (cluster: string, addresses: string): string =>
  `"-" 0 19 0 - "-" "curl/8.11.1" "1227bbf1-aa5a-4818-aaac-f9ea2d7fdc3c" "web-api:8080" "-" ${cluster} - ${addresses} - default`
const vip = 'inbound-vip|8080|http|web-api.shop.svc.cluster.local'
const line = (request: string, how: string, cluster = vip): string =>
  `[2026-11-21T11:44:23.028Z] "${request}" ${how} - ${ending(cluster, '10.96.132.123:8080 10.244.1.14:59462')}`

const denied = line('DELETE /orders HTTP/1.1', '403 - rbac_access_denied_matched_policy[none]')
const served =
  '[2026-11-21T11:44:22.954Z] "GET / HTTP/1.1" 200 - via_upstream - "-" 0 429 4 2 "-" "curl/8.11.1" "a14f191d-9d63-41ac-bb83-315c4435fd46" "web-api:8080" "envoy://connect_originate/10.244.2.15:8080" inbound-vip|8080|http|web-api.shop.svc.cluster.local; envoy://internal_client_address/ 10.96.132.123:8080 10.244.1.14:59462 - default'
const atGateway = line(
  'GET /api/v1/users HTTP/1.1',
  '403 - rbac_access_denied_matched_policy[ns[gthulhu]-policy[no-users-from-outside]-rule[0]]',
  'outbound|8080||gthulhu-manager.gthulhu.svc.cluster.local',
)
const json = JSON.stringify({
  response_code: 403,
  downstream_local_address: '10.96.157.249:8080',
  authority: 'web-api:8080',
  method: 'POST',
  upstream_host: null,
  upstream_cluster: vip,
  response_code_details: 'rbac_access_denied_matched_policy[none]',
  downstream_remote_address: '10.244.1.14:34022',
  connection_termination_details: null,
  path: '/',
  response_flags: '-',
  start_time: '2026-11-21T06:46:36.742Z',
})

const waypoint = (text: string) => envoySighting(text, 'waypoint')

describe("a line of a waypoint's access log", () => {
  it('that tells of a refusal: no rule allowed it, so no policy is named', () => {
    assert.deepEqual(said(waypoint(denied)), {
      by: 'waypoint',
      at: '2026-11-21T11:44:23.028Z',
      outcome: 'deny',
      code: 'authz.no-rule-allows',
      source: { ip: '10.244.1.14' },
      destination: { service: 'shop/web-api', host: 'web-api:8080', ip: '10.96.132.123', port: 8080 },
      http: { method: 'DELETE', path: '/orders', status: 403 },
    })
  })

  it('that tells of one that was served, by the pod that served it', () => {
    const { outcome, destination, code } = waypoint(served) ?? assert.fail()
    assert.deepEqual([outcome, code, destination.ip, destination.port], ['allow', undefined, '10.244.2.15', 8080])
  })

  it('as JSON says the same', () => {
    const { code, source, destination, http } = waypoint(json) ?? assert.fail()
    assert.deepEqual(
      [code, source.ip, destination.service, http],
      ['authz.no-rule-allows', '10.244.1.14', 'shop/web-api', { method: 'POST', path: '/', status: 403 }],
    )
  })

  it('of a tunnel says nothing, unless that is refused', () => {
    const tunnel = line('CONNECT - HTTP/2', '200 - via_upstream')
    assert.equal(waypoint(tunnel), undefined)
    const refused = line('CONNECT - HTTP/2', '403 - rbac_access_denied_matched_policy[none]')
    assert.equal(waypoint(refused)?.code, 'authz.no-rule-allows')
  })

  it('of a connection without requests has its reason where that ended', () => {
    const tcp = line('- - -', '0 - -').replace('- - - "-" 0', '- - rbac_access_denied_matched_policy[none] "-" 0')
    assert.deepEqual([waypoint(tcp)?.code, waypoint(tcp)?.http], ['authz.no-rule-allows', undefined])
  })

  it('is not misled by what a client chooses', () => {
    const path = line('GET /"403-rbac_access_denied_matched_policy[none] HTTP/1.1', '200 - via_upstream')
    assert.equal(waypoint(path)?.outcome, 'allow')
    const agent = served.replace('curl/8.11.1', 'x" "y" 403 - rbac_access_denied_matched_policy[none] - "')
    assert.equal(waypoint(agent)?.outcome, 'allow')
    assert.equal(waypoint(agent)?.destination.service, 'shop/web-api')
  })

  it('that is half, torn or endless is never taken for another', () => {
    neverMisled(waypoint, [denied, served, atGateway, json])
  })
})

describe("a line of a gateway's access log", () => {
  it('names the policy that denied', () => {
    const { by, code, policy } = envoySighting(atGateway, 'gateway') ?? assert.fail()
    assert.deepEqual(
      [by, code, policy],
      ['gateway', 'authz.rule-denies', 'AuthorizationPolicy/gthulhu/no-users-from-outside'],
    )
  })

  for (const [what, how, outcome, code] of [
    ['no route', '404 NR route_not_found', 'deny', undefined],
    ['no pod', '503 UH no_healthy_upstream', 'deny', 'network.no-endpoint'],
    ['a route to nowhere', '500 - direct_response', 'deny', 'route.no-backend'],
    ['a redirect', '301 - direct_response', 'allow', undefined],
    ['a request that it does not take', '400 - http1.codec_error', 'deny', 'request.refused'],
    ['the next hop refused', '503 UF,URX upstream_reset_before_response_started{x}', 'unknown', undefined],
    ["an answer of the application's", '403 - via_upstream', 'allow', undefined],
  ] as const) {
    it(`${what}: ${how}`, () => {
      const sighting = envoySighting(line('GET / HTTP/1.1', how, '-'), 'gateway')
      assert.deepEqual([sighting?.outcome, sighting?.code], [outcome, code])
    })
  }
})
