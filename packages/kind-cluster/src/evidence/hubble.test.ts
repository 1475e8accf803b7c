import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hubbleSighting } from './hubble.js'
import { neverMisled, said } from './testing.js'

type Json = Readonly<Record<string, unknown>>

const base: Json = {
  time: '2026-11-21T10:41:02.202450754Z',
  uuid: 'cd75b2ac-8dd3-486b-beca-3d17d9d56cff',
  verdict: 'DROPPED',
  drop_reason: 133,
  IP: { source: '10.244.1.235', destination: '10.244.2.21', ipVersion: 'IPv4' },
  l4: { TCP: { source_port: 60524, destination_port: 15008, flags: { SYN: true } } },
  source: {
    ID: 423,
    identity: 24753,
    cluster_name: 'default',
    namespace: 'shop',
    labels: ['k8s:app=notsleep'],
    pod_name: 'notsleep-9b649846d-bxqfc',
    workloads: [{ name: 'notsleep', kind: 'Deployment' }],
  },
  destination: {
    identity: 24075,
    namespace: 'shop',
    labels: ['k8s:app=web-api'],
    pod_name: 'web-api-65887564dc-jjw7k',
  },
  Type: 'L3_L4',
  node_name: 'bulkhead-worker',
  event_type: { type: 1, sub_type: 133 },
  traffic_direction: 'EGRESS',
  drop_reason_desc: 'POLICY_DENIED',
  is_reply: false,
  Summary: 'TCP Flags: SYN',
}
const line = (changes: Json = {}): string =>
  JSON.stringify({ flow: { ...base, ...changes }, node_name: 'bulkhead-worker', time: base.time })

const named = line({
  drop_reason: 181,
  event_type: { type: 5 },
  policy_match_type: 1,
  drop_reason_desc: 'POLICY_DENY',
  egress_denied_by: [
    {
      name: 'no-metadata',
      namespace: 'shop',
      labels: ['k8s:io.cilium.k8s.policy.name=no-metadata'],
      revision: '6',
      kind: 'CiliumNetworkPolicy',
    },
  ],
})
const dns = line({
  Type: 'L7',
  l4: { UDP: { source_port: 40000, destination_port: 53 } },
  l7: { type: 'REQUEST', dns: { query: 'attacker.example.', observation_source: 'proxy', qtypes: ['A'] } },
  event_type: { type: 129 },
  drop_reason: undefined,
  drop_reason_desc: 'DROP_REASON_UNKNOWN',
})
const request = line({
  Type: 'L7',
  l7: { type: 'REQUEST', http: { method: 'POST', url: 'http://web-api:8080/admin?x=1', protocol: 'HTTP/1.1' } },
  event_type: { type: 129 },
  drop_reason_desc: undefined,
})

describe('a flow of Hubble', () => {
  it('that no rule allowed: dropped, by which node, and by no policy', () => {
    assert.deepEqual(said(hubbleSighting(line())), {
      by: 'hubble',
      at: '2026-11-21T10:41:02.202Z',
      outcome: 'deny',
      code: 'cni.default-deny',
      source: { workload: 'shop/notsleep', ip: '10.244.1.235' },
      destination: { workload: 'shop/web-api-65887564dc-jjw7k', ip: '10.244.2.21', port: 15008 },
    })
  })

  it('that a rule denied names its policy', () => {
    const { code, policy } = hubbleSighting(named) ?? assert.fail()
    assert.deepEqual([code, policy], ['cni.rule-denies', 'CiliumNetworkPolicy/shop/no-metadata'])
    const wide = line({
      drop_reason_desc: 'POLICY_DENY',
      ingress_denied_by: [{ name: 'no-world', kind: 'CiliumClusterwideNetworkPolicy' }],
    })
    assert.equal(hubbleSighting(wide)?.policy, 'CiliumClusterwideNetworkPolicy/no-world')
  })

  it('of a name that may not be asked for tells the name', () => {
    const { code, destination } = hubbleSighting(dns) ?? assert.fail()
    assert.deepEqual([code, destination.host, destination.port], ['cni.dns-denied', 'attacker.example', 53])
  })

  it('of a request that may not be made tells the request', () => {
    const { code, http } = hubbleSighting(request) ?? assert.fail()
    assert.deepEqual([code, http], ['cni.http-denied', { method: 'POST', path: '/admin?x=1' }])
  })

  it('of a connection that was refused by its ClientHello, of which nothing else was read', () => {
    const sni = line({ Type: 'L7', l7: { type: 'REQUEST' }, event_type: { type: 129 }, drop_reason_desc: undefined })
    assert.equal(hubbleSighting(sni)?.code, 'cni.sni-denied')
  })

  it('with the number of its reason alone, as older ones are', () => {
    const old = (number: number): string => line({ drop_reason: number, drop_reason_desc: undefined })
    assert.deepEqual(
      [133, 181, 189, 134].map((number) => hubbleSighting(old(number))?.code),
      ['cni.default-deny', 'cni.rule-denies', 'cni.auth-required', undefined],
    )
  })

  it('that was dropped for no policy says nothing of one', () => {
    const { outcome, code } =
      hubbleSighting(line({ drop_reason_desc: 'CT_TRUNCATED_OR_INVALID_HEADER' })) ?? assert.fail()
    assert.deepEqual([outcome, code], ['unknown', undefined])
  })

  it('that a policy let by is an allow; one that only passed some point is nothing', () => {
    const forwarded = { verdict: 'FORWARDED', drop_reason_desc: undefined, drop_reason: undefined }
    assert.equal(hubbleSighting(line({ ...forwarded, event_type: { type: 5 } }))?.outcome, 'allow')
    assert.equal(hubbleSighting(line({ ...forwarded, event_type: { type: 4, sub_type: 0 } })), undefined)
  })

  it('of an answer is nothing', () => {
    assert.equal(hubbleSighting(line({ is_reply: true })), undefined)
    assert.equal(hubbleSighting(dns.replace('"REQUEST"', '"RESPONSE"')), undefined)
  })

  it('without its envelope says the same', () => {
    const { flow } = JSON.parse(line()) as { flow: unknown }
    assert.deepEqual(said(hubbleSighting(JSON.stringify(flow))), said(hubbleSighting(line())))
  })

  it('that tells of lost events, or a node, is none', () => {
    assert.equal(hubbleSighting('{"lost_events":{"source":"HUBBLE_RING_BUFFER","num_events_lost":"1"}}'), undefined)
  })

  it('that is half, torn or endless is never taken for another', () => {
    neverMisled(hubbleSighting, [line(), named, dns, request])
    for (const odd of [
      { IP: 5 },
      { l4: [] },
      { source: 'x' },
      { egress_denied_by: {} },
      { l7: 7 },
      { destination_names: 4 },
    ])
      assert.doesNotThrow(() => hubbleSighting(line(odd)))
  })
})
