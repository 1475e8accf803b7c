import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { neverMisled, said } from './testing.js'
import { meaningOf, ztunnelSighting } from './ztunnel.js'

const mesh =
  'src.addr=10.244.1.6:42020 src.workload="notsleep-6584ddcf65-k78wz" src.namespace="shop" src.identity="spiffe://cluster.local/ns/shop/sa/notsleep" src.cluster="Kubernetes" dst.addr=10.244.2.9:15008 dst.hbone_addr=10.244.2.9:8080 dst.service="web-api.shop.svc.cluster.local" dst.workload="web-api-7d5789fdfb-c5w2c" dst.namespace="shop" dst.identity="spiffe://cluster.local/ns/shop/sa/web-api" dst.cluster="Kubernetes"'
const text = (level: string, fields: string): string =>
  `2026-11-21T11:55:01.094336Z\t${level}\taccess\tconnection complete\t${fields}`
const none = 'bytes_sent=0 bytes_recv=0 duration="0ms"'
const because = (error: string): string => text('error', `${mesh} direction="inbound" ${none} error="${error}"`)

const refused = because('connection closed due to policy rejection: allow policies exist, but none allowed')
const served = text('info', `${mesh} direction="inbound" bytes_sent=1134 bytes_recv=97 duration="1ms"`)
const plain = text(
  'error',
  `src.addr=10.244.1.9:46376 src.workload="outsider" src.namespace="shop" dst.addr=10.244.2.9:8080 dst.service="web-api.shop.svc.cluster.local" dst.workload="web-api-7d5789fdfb-c5w2c" dst.namespace="shop" direction="inbound" ${none} error="connection closed due to policy rejection: explicitly denied by: istio-system/istio_converted_static_strict"`,
)
const early =
  '2026-11-21T11:55:01.094336Z\twarn\taccess\tconnection failed\tsrc.addr=10.244.1.9:35214 dst.addr=10.244.2.9:15008 direction="inbound" error="tls error: invalid peer certificate: UnknownIssuer"'
const json = JSON.stringify({
  level: 'info',
  time: '2026-11-21T07:07:52.014411Z',
  scope: 'access',
  message: 'connection complete',
  'src.addr': '10.244.1.2:35214',
  'src.workload': 'sleep-6b4b85489f-l2tqt',
  'src.namespace': 'shop',
  'dst.addr': '10.244.2.9:15008',
  'dst.hbone_addr': '10.244.2.9:8080',
  direction: 'inbound',
})

describe("a line of ztunnel's access log", () => {
  it('that tells of a refusal: by whom, of whom, to whom, and no policy of a default deny', () => {
    assert.deepEqual(said(ztunnelSighting(refused)), {
      by: 'ztunnel',
      at: '2026-11-21T11:55:01.094Z',
      outcome: 'deny',
      code: 'authz.no-rule-allows',
      source: {
        workload: 'shop/notsleep-6584ddcf65-k78wz',
        identity: 'spiffe://cluster.local/ns/shop/sa/notsleep',
        ip: '10.244.1.6',
      },
      destination: { workload: 'shop/web-api-7d5789fdfb-c5w2c', service: 'shop/web-api', ip: '10.244.2.9', port: 8080 },
    })
    assert.equal(ztunnelSighting(refused)?.line, refused)
  })

  it('that tells of one that was served', () => {
    assert.equal(ztunnelSighting(served)?.outcome, 'allow')
    assert.equal(ztunnelSighting(served)?.code, undefined)
  })

  it('without an identity, and without HBONE: the port is the one that was dialled', () => {
    assert.deepEqual(said(ztunnelSighting(plain)), {
      by: 'ztunnel',
      at: '2026-11-21T11:55:01.094Z',
      outcome: 'deny',
      code: 'mtls.strict-no-identity',
      source: { workload: 'shop/outsider', ip: '10.244.1.9' },
      destination: { workload: 'shop/web-api-7d5789fdfb-c5w2c', service: 'shop/web-api', ip: '10.244.2.9', port: 8080 },
    })
  })

  it('of a connection that never came to be one', () => {
    const { source, destination, outcome, code } = ztunnelSighting(early) ?? assert.fail()
    assert.deepEqual(
      { source, destination, outcome, code },
      {
        source: { ip: '10.244.1.9' },
        destination: { ip: '10.244.2.9', port: 15008 },
        outcome: 'deny',
        code: 'hbone.untrusted-certificate',
      },
    )
  })

  it('as JSON says the same', () => {
    assert.deepEqual(said(ztunnelSighting(json)), {
      by: 'ztunnel',
      at: '2026-11-21T07:07:52.014Z',
      outcome: 'allow',
      source: { workload: 'shop/sleep-6b4b85489f-l2tqt', ip: '10.244.1.2' },
      destination: { ip: '10.244.2.9', port: 8080 },
    })
  })

  it('with an address of IPv6, and with quotes in its error', () => {
    const line = `${because('x').replace('10.244.1.6:42020', '[fd00:10:244::6]:42020').slice(0, -2)}io error: \\"x\\" = y"`
    assert.equal(ztunnelSighting(line)?.source.ip, 'fd00:10:244::6')
    assert.equal(ztunnelSighting(line)?.outcome, 'unknown')
  })

  it('that is no access log, or about nobody, is none', () => {
    assert.equal(ztunnelSighting('2026-11-21T11:55:01.094336Z\tinfo\tstate\tno allow policies matched'), undefined)
    assert.equal(ztunnelSighting(json.replace('"access"', '"ztunnel::state"')), undefined)
    assert.equal(ztunnelSighting(text('info', 'direction="inbound"')), undefined)
  })

  it('that is half, torn or endless is never taken for another', () => {
    neverMisled(ztunnelSighting, [refused, served, plain, early, json])
  })
})

describe("what ztunnel's errors mean", () => {
  const rejection = 'connection closed due to policy rejection: '
  for (const [error, outcome, code, policy] of [
    [
      `${rejection}explicitly denied by: shop/web-api-by-waypoint-only`,
      'deny',
      'authz.rule-denies',
      'AuthorizationPolicy/shop/web-api-by-waypoint-only',
    ],
    [
      `${rejection}explicitly denied by: shop/converted_peer_authentication_strict-but-9090`,
      'deny',
      'mtls.strict-no-identity',
      'PeerAuthentication/shop/strict-but-9090',
    ],
    // Older ones gave no reason.
    ['connection closed due to policy rejection: workload mismatch', 'deny'],
    ['http status: 401 Unauthorized', 'deny'],
    ['http status: 503 Service Unavailable', 'unknown'],
    ['connection closed due to policy change', 'deny'],
    ['connection timed out, maybe a NetworkPolicy is blocking HBONE port 15008: deadline has elapsed', 'unknown'],
    ['tls error: received fatal alert: CertificateExpired', 'deny', 'hbone.expired-certificate'],
    ['tls error: peer sent no certificates', 'deny', 'hbone.no-certificate'],
    ['tls error: invalid peer certificate: BadSignature', 'deny', 'hbone.stolen-certificate'],
    ['tls error: received corrupt message of type InvalidContentType', 'deny'],
    ['ip mismatch: 10.244.2.9 != 10.244.2.8', 'deny', 'hbone.wrong-target'],
    ['no healthy upstream: 10.96.3.4:8080', 'deny', 'network.no-endpoint'],
    ['connection failed: Connection refused (os error 111)', 'deny', 'network.nothing-listens'],
    ['io error: Broken pipe (os error 32)', 'unknown'],
    ['explicitly denied by: shop/x', 'unknown'],
  ] as const) {
    it(error, () => {
      assert.deepEqual(meaningOf(error), {
        outcome,
        ...(code === undefined ? {} : { code }),
        ...(policy === undefined ? {} : { policy }),
      })
    })
  }
})
