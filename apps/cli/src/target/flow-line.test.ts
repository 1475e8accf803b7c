import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FlowRecord } from '@bulkhead/verdict'
import { execEnv, failures } from '../commands/exec.js'
import { failureText, flowLine } from './flow-line.js'

const allowed: FlowRecord = {
  id: 1,
  generation: 0,
  start: '2026-01-02T03:04:05.678Z',
  durationMs: 12.6,
  source: {
    workload: 'shop/sleep',
    pod: 'shop/sleep-1',
    identity: 'spiffe://cluster.local/ns/shop/sa/sleep',
    ip: '10.244.1.2',
  },
  destination: {
    workload: 'shop/web-api',
    pod: 'shop/web-api-1',
    service: 'shop/web-api',
    ip: '10.244.2.2',
    port: 8080,
  },
  protocol: 'TCP',
  transport: 'hbone',
  outcome: 'allow',
  steps: [],
  symptom: 'ok',
  flag: '-',
  bytesSent: 76,
  bytesReceived: 1333,
}
const denied: FlowRecord = {
  ...allowed,
  outcome: 'deny',
  symptom: 'reset',
  flag: 'DENY',
  error: 'connection closed due to policy rejection: allow policies exist, but none allowed',
  run: 'exec-1',
  decidedBy: 0,
  steps: [
    {
      hop: 0,
      point: 'ztunnel',
      engine: 'istio',
      layer: '50-identity',
      outcome: 'deny',
      code: 'authz.no-rule-allows',
      isolatedBy: [
        { policy: 'AuthorizationPolicy/shop/a', at: 'a.yaml:1' },
        { policy: 'AuthorizationPolicy/shop/b', at: 'b.yaml:2' },
      ],
      facts: { pod: 'shop/web-api', identity: 'spiffe://cluster.local/ns/shop/sa/sleep', port: 8080 },
    },
  ],
}

test('a datagram is told from a connection', () => {
  const { identity: _identity, ...source } = allowed.source
  const record: FlowRecord = { ...allowed, source, protocol: 'UDP', transport: 'plaintext' }
  assert.match(flowLine(record), / dst\.workload=shop\/web-api protocol=UDP transport=plaintext /)
  assert.doesNotMatch(flowLine({ ...record, protocol: 'TCP' }), /protocol/)
})

test('of what goes out the line tells the name that was asked for, and the one that was read', () => {
  const { workload: _workload, pod: _pod, service: _service, ...destination } = allowed.destination
  const out = {
    ...allowed,
    destination: { ...destination, host: 'api.github.com' },
    transport: 'plaintext',
    sni: 'api.github.com',
  } as const
  assert.match(
    flowLine(out),
    / dst\.addr=10\.244\.2\.2:8080 dst\.host=api\.github\.com transport=plaintext sni=api\.github\.com /,
  )
  assert.doesNotMatch(flowLine({ ...out, destination: { ...destination, host: '10.244.2.2' } }), /dst\.host/)
  assert.doesNotMatch(flowLine(allowed), /dst\.host|sni/)
})

test('a flow is one line in the manner of ztunnel’s access log', () => {
  assert.equal(
    flowLine(allowed),
    '2026-01-02T03:04:05.678Z allow src.addr=10.244.1.2 src.workload=shop/sleep src.identity=spiffe://cluster.local/ns/shop/sa/sleep dst.addr=10.244.2.2:8080 dst.service=shop/web-api dst.workload=shop/web-api transport=hbone bytes_sent=76 bytes_recv=1333 duration=13ms flag=-',
  )
  assert.match(
    flowLine(denied),
    / deny .* flag=DENY error="connection closed .*" run=exec-1 code=authz\.no-rule-allows policy="AuthorizationPolicy\/shop\/a at a\.yaml:1, AuthorizationPolicy\/shop\/b at b\.yaml:2"$/,
  )
  // What an app could put into a name must not make a second line or another field.
  const nasty = { ...denied, destination: { host: 'x y="z"\nfake', port: 1 } }
  assert.match(flowLine(nasty), /dst\.host="x y=\\"z\\"\\nfake"/)
  assert.equal(flowLine(nasty).split('\n').length, 1)
})

test('a request at a gateway is told with what was asked, what was answered, and where it was sent', () => {
  const { workload: _, pod: __, identity: ___, ...outside } = { ...allowed.source, ip: '172.18.0.1' }
  const http = {
    method: 'GET',
    host: 'istioexplained.io',
    path: '/a b',
    status: 200,
    route: 'HTTPRoute/shop/r',
    upstream: 'shop/web-api-1',
  }
  assert.match(
    flowLine({ ...allowed, source: outside, transport: 'http', http }),
    /^\S+ allow src\.addr=172\.18\.0\.1 dst\.addr=\S+ .* transport=http http\.request="GET istioexplained\.io\/a b" http\.status=200 http\.route=HTTPRoute\/shop\/r http\.upstream=shop\/web-api-1 bytes_sent=/,
  )
})

test('a failure says what a cluster shows, why, and where each policy stands', () => {
  assert.equal(failureText(allowed), undefined)
  assert.equal(
    failureText(denied),
    [
      'shop/sleep -> shop/web-api:8080 failed. On a cluster its client sees a connection that opened and was closed without a byte (curl 35 or 52 or 56).',
      '  layer 50-identity: ALLOW policies select shop/web-api, and no rule of theirs lists cluster.local/ns/shop/sa/sleep on port 8080',
      '  AuthorizationPolicy/shop/a at a.yaml:1',
      '  AuthorizationPolicy/shop/b at b.yaml:2',
    ].join('\n'),
  )
})

test('a default deny is of the layers whose policies isolate, and of none where they are nobody’s', () => {
  const [step] = denied.steps
  const of = (...layers: readonly (string | undefined)[]) => {
    const isolatedBy = layers.map((layer) => ({
      policy: 'P/a/b',
      at: 'a.yaml:1',
      ...(layer !== undefined && { layer }),
    }))
    const { layer: _layer, ...rest } = step ?? assert.fail()
    return failureText({ ...denied, steps: [{ ...rest, code: 'cni.default-deny', isolatedBy }] })?.split('\n')[1]
  }
  assert.match(of('20-network', '20-network') ?? '', /^ {2}layer 20-network: policies isolate /)
  assert.match(of('30-cilium', '20-network') ?? '', /^ {2}layers 20-network and 30-cilium: policies isolate /)
  assert.match(of(undefined) ?? '', /^ {2}policies isolate /)
})

test('many failures of one kind are told once, and many kinds not without end', () => {
  const told = failures([denied, allowed, denied, denied])
  assert.equal(told.length, 1)
  assert.match(told[0] ?? '', /^bulkhead: 3 times: shop\/sleep -> /)
  const kinds = Array.from({ length: 15 }, (_, port) => ({ ...denied, destination: { ...denied.destination, port } }))
  assert.equal(failures(kinds).length, 11)
  assert.match(failures(kinds).at(-1) ?? '', /^bulkhead: 5 more ways to fail/)
})

test('a program that is executed finds programs as its user does, and knows nothing else of the user', () => {
  const user = {
    PATH: '/bin',
    TERM: 'xterm',
    LC_ALL: 'C',
    AWS_SECRET: 's',
    HOME: '/home/me',
    all_proxy: 'http://other',
  }
  assert.deepEqual(execEnv({ ...user, NODE_OPTIONS: '--inspect', TZ: undefined }, { PATH: '/usr/bin', HOME: '/pod' }), {
    PATH: '/bin',
    TERM: 'xterm',
    LC_ALL: 'C',
    HOME: '/pod',
  })
})

test('what a pod says cannot write over the line, nor look like a line of ours', () => {
  const nowhere = { ...allowed, symptom: 'dns-not-found', flag: 'NO_NAME', error: 'no\nname' } as const
  const text = failureText({ ...nowhere, destination: { host: 'a\nbulkhead: \u001b[2J', port: 80 } }) ?? ''
  assert.match(text, /^shop\/sleep -> a\\nbulkhead: \\u001b\[2J:80 failed\. .*\n {2}no\\nname$/)
  const line = flowLine({ ...denied, error: 'a\nb\u001b[2J\u009b1m\u202e' })
  assert.doesNotMatch(line, /[\p{Cc}\p{Bidi_Control}]/u)
  assert.match(line, / error="a\\nb\\u001b\[2J\\u009b1m\\u202e" /)
  assert.doesNotMatch(flowLine({ ...allowed, error: 'plain' }), /\\u/)
})
