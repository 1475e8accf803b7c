import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FlowError } from './errors.js'
import { readFlow } from './read.js'

const good = { from: { workload: 'shop/sleep' }, to: { service: 'shop/web-api' }, port: 8080 }

function refusal(value: unknown): string {
  try {
    readFlow(value)
  } catch (error) {
    assert.ok(error instanceof FlowError)
    return `${error.code} ${error.message}`
  }
  return assert.fail(`accepted: ${JSON.stringify(value)}`)
}

test('every form of a flow is read as it is written', () => {
  for (const flow of [
    good,
    { ...good, id: 'a', protocol: 'UDP', dns: { query: 'x' }, tls: { sni: 'y' }, certificate: 'expired' },
    { ...good, http: { method: 'GET', path: '/', host: 'h', headers: { a: 'b' }, claims: { groups: ['x'] } } },
    { ...good, from: { workload: 'a/b', node: 'n' }, to: { workload: 'a/b' } },
    { ...good, from: { external: '203.0.113.7' }, to: { host: 'api.github.com', ip: '1.2.3.4' } },
    { ...good, from: { node: 'n' }, to: { node: 'n' } },
    { ...good, to: { ip: '2001:db8::1' } },
    {
      ...good,
      from: { namespace: 'a', labels: { x: '' }, serviceAccount: 's', ip: '10.0.0.1', mesh: true, hostNetwork: false },
      to: { namespace: 'a', labels: {}, ip: '10.0.0.2', ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
    },
    { ...good, port: 0, protocol: 'ICMP' },
  ]) {
    assert.deepEqual(readFlow(flow), flow)
  }
})

test('a wrong value is quoted with its place', () => {
  const cases: [unknown, string][] = [
    [[], 'flow.invalid "flow" must be an object, not []'],
    [{ ...good, port: '8080' }, 'flow.invalid "port" must be a whole number from 0 to 65535, not "8080"'],
    [{ ...good, port: 0 }, 'flow.invalid "port" must be a whole number from 1 to 65535, not 0'],
    [{ ...good, port: undefined }, 'flow.invalid "port" must be a whole number from 1 to 65535, it is missing'],
    [{ ...good, from: undefined }, 'flow.invalid "from" must be an object, it is missing'],
    [{ ...good, from: { workload: 'sleep' } }, 'flow.invalid "from.workload" must be namespace/name, not "sleep"'],
    [{ ...good, from: { external: 'x' } }, 'flow.invalid "from.external" must be an IP address, not "x"'],
    [{ ...good, from: { labels: {} } }, 'flow.invalid "from.namespace" must be a namespace, it is missing'],
    [{ ...good, from: { namespace: 'a', labels: { x: 1 } } }, 'flow.invalid "from.labels.x" must be a text, not 1'],
    [{ ...good, protocol: 'tcp' }, 'flow.invalid "protocol" must be one of TCP, UDP, SCTP, ICMP, not "tcp"'],
    [
      { ...good, certificate: 'fake' },
      'flow.invalid "certificate" must be one of none, self-signed, expired, other-domain, stolen, not "fake"',
    ],
    [
      { ...good, to: { host: 'http://web-api/' } },
      'flow.invalid "to.host" must be a host name or an IP address, not "http://web-api/"',
    ],
    [
      { ...good, to: { host: 'web-api:8080' } },
      'flow.invalid "to.host" must be a host name or an IP address, not "web-api:8080"',
    ],
    [{ ...good, to: { host: 'a..b' } }, 'flow.invalid "to.host" must be a host name or an IP address, not "a..b"'],
    [{ ...good, http: { method: 'GET' } }, 'flow.invalid "http.path" must be a path, it is missing'],
    [{ ...good, to: {} }, 'flow.invalid "to" must have one of service, workload, host, node, labels, ip, not {}'],
  ]
  for (const [value, message] of cases) assert.equal(refusal(value), message)
})

test('a field that a flow does not have is named', () => {
  const cases: [unknown, string][] = [
    [{ ...good, prot: 'TCP' }, 'flow.unknown-field "prot" is no field of a flow; did you mean "port"?'],
    [{ ...good, tls: { snii: 'x' } }, 'flow.unknown-field "tls.snii" is no field of a flow; did you mean "sni"?'],
    [{ ...good, from: { workloads: 'a/b' } }, 'flow.unknown-field "from.workloads" is no field of a flow'],
    [{ ...good, to: { service: 'a/b', workload: 'a/b' } }, 'flow.unknown-field "to.workload" is no field of a flow'],
    [JSON.parse('{"__proto__":{"port":1}}'), 'flow.unknown-field "__proto__" is no field of a flow'],
  ]
  for (const [value, message] of cases) assert.equal(refusal(value), message)
})

test('any data is read or refused, and never crashes', () => {
  const near = fc.record(
    {
      from: fc.oneof(fc.anything(), fc.constant(good.from)),
      to: fc.oneof(fc.anything(), fc.constant(good.to)),
      port: fc.oneof(fc.anything(), fc.constant(80)),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.oneof(fc.anything(), near), (value) => {
      try {
        readFlow(value)
      } catch (error) {
        assert.ok(error instanceof FlowError, String(error))
      }
    }),
    { numRuns: 500 },
  )
})
