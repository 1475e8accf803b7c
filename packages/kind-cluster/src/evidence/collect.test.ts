import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Sighting } from '@bulkhead/scenarios'
import type { Answers, Matcher } from '../testing/recording.js'
import { recordingTools } from '../testing/recording.js'
import { type Asked, isAbout } from './about.js'
import { collectSightings } from './collect.js'
import { gatewayPod } from './testing.js'

const place = { kubeconfig: '/state/kind/kubeconfig' }
const pod = (namespace: string, name: string, node: string, ip: string) => ({
  metadata: { namespace, name },
  spec: { nodeName: node },
  status: { phase: 'Running', podIPs: [{ ip }] },
})
const list = (...items: readonly object[]): { readonly stdout: string } => ({ stdout: JSON.stringify({ items }) })

const pods: readonly (readonly [Matcher, Answers])[] = [
  [
    'kubectl get pods -n istio-system -l app=ztunnel',
    list(
      pod('istio-system', 'ztunnel-a', 'bulkhead-worker', '10.244.1.3'),
      pod('istio-system', 'ztunnel-b', 'bulkhead-worker2', '10.244.2.3'),
      pod('istio-system', 'ztunnel-c', 'bulkhead-control-plane', '10.244.0.3'),
    ),
  ],
  [
    'kubectl get pods -n kube-system -l k8s-app=cilium',
    list(pod('kube-system', 'cilium-a', 'bulkhead-worker', '172.18.0.3')),
  ],
  [
    'kubectl get pods -A -l gateway.networking.k8s.io/gateway-name',
    list(
      gatewayPod('shop', 'waypoint-7b9b6c5cc6-lhlwp', 'waypoint'),
      gatewayPod('gthulhu', 'waypoint-7b9b6c5cc6-x', 'waypoint'),
    ),
  ],
]

const asked: Asked = {
  from: { workload: 'shop/notsleep', ips: ['10.244.1.6'], nodes: ['bulkhead-worker'] },
  to: { service: 'shop/web-api', ips: ['10.244.2.9', '10.96.3.4'], nodes: ['bulkhead-worker2'], ports: [8080] },
  since: new Date('2026-11-21T10:00:00.000Z'),
  until: new Date('2026-11-21T10:00:02.000Z'),
  flow: { from: { workload: 'shop/notsleep' }, to: { service: 'shop/web-api' }, port: 8080 },
}

const refusal = (changes: Readonly<Record<string, string>> = {}): string => {
  const fields = {
    time: '2026-11-21T10:00:01.000000Z',
    from: '10.244.1.6',
    to: '10.244.2.9',
    port: '8080',
    error: 'connection closed due to policy rejection: allow policies exist, but none allowed',
    ...changes,
  }
  return `${fields.time}\terror\taccess\tconnection complete\tsrc.addr=${fields.from}:4000 dst.addr=${fields.to}:15008 dst.hbone_addr=${fields.to}:${fields.port} direction="inbound" bytes_sent=0 bytes_recv=0 duration="0ms" error="${fields.error}"`
}
const packet = JSON.stringify({
  flow: {
    time: '2026-11-21T10:00:00.500Z',
    verdict: 'FORWARDED',
    event_type: { type: 5 },
    IP: { source: '10.244.1.6', destination: '10.244.2.9' },
    l4: { TCP: { destination_port: 15008 } },
  },
})

describe('what a cluster has written down of one attempt', () => {
  it('is read on the nodes of both ends, from the waypoints of their namespaces, and put in order', async () => {
    const tools = recordingTools([
      ...pods,
      ['kubectl logs -n istio-system ztunnel-a', {}],
      ['kubectl logs -n istio-system ztunnel-b', { stdout: `${refusal()}\n` }],
      ['kubectl exec -n kube-system cilium-a', { stdout: `${packet}\n` }],
      ['kubectl logs -n shop waypoint-7b9b6c5cc6-lhlwp', {}],
    ])
    const found = await collectSightings({ tools, place }, asked, { stopped: true })
    assert.deepEqual(
      found.map(({ by, outcome, code }) => [by, outcome, code]),
      [
        ['hubble', 'allow', undefined],
        ['ztunnel', 'deny', 'authz.no-rule-allows'],
      ],
    )
    assert.deepEqual(tools.unused(), [])
    assert.deepEqual(tools.astray(place.kubeconfig), [])
    assert.deepEqual(tools.lines().slice(3).sort(), [
      'kubectl exec -n kube-system cilium-a -c cilium-agent -- hubble observe flows -o jsonpb --type drop --type policy-verdict --type l7 --since 2026-11-21T09:59:59.500Z --last 500 --ip 10.244.1.6',
      'kubectl logs -n istio-system ztunnel-a --since-time=2026-11-21T09:59:59.500Z --limit-bytes=1048576',
      'kubectl logs -n istio-system ztunnel-b --since-time=2026-11-21T09:59:59.500Z --limit-bytes=1048576',
      'kubectl logs -n shop waypoint-7b9b6c5cc6-lhlwp -c istio-proxy --since-time=2026-11-21T09:59:59.500Z --limit-bytes=1048576',
    ])
  })

  const others: readonly (readonly [Matcher, Answers])[] = [
    ['kubectl exec', {}],
    ['kubectl logs -n shop', {}],
    ['kubectl logs -n istio-system ztunnel-a', {}],
  ]

  it('is read again until a line says why, since logs are written late', async () => {
    const late: Answers = [{}, {}, { stdout: `${refusal()}\n` }]
    const tools = recordingTools([...pods, ['kubectl logs -n istio-system ztunnel-b', late], ...others])
    const found = await collectSightings({ tools, place }, asked, { stopped: true, pauseMs: 0 })
    assert.equal(found.length, 1)
    assert.equal(tools.lines().filter((line) => line.includes('ztunnel-b')).length, 3)
    assert.equal(
      tools.lines().filter((line) => line.startsWith('kubectl get')).length,
      3,
      'who is there is looked up once',
    )
  })

  it('of one that was stopped and that nobody recorded ends as nothing, after a few readings', async () => {
    const tools = recordingTools([...pods, ['kubectl logs', {}], ...others])
    assert.deepEqual(await collectSightings({ tools, place }, asked, { stopped: true, pauseMs: 0 }), [])
    assert.equal(tools.lines().filter((line) => line.includes('ztunnel-b')).length, 4)
  })

  it('of one that was served is read once', async () => {
    const tools = recordingTools([...pods, ['kubectl logs', {}], ...others])
    await collectSightings({ tools, place }, asked)
    assert.equal(tools.lines().filter((line) => line.includes('ztunnel-b')).length, 1)
  })

  it('has what could be read, and tells what could not', async () => {
    const tools = recordingTools([
      ...pods,
      [
        'kubectl logs -n istio-system ztunnel-b',
        { stdout: `${refusal()}\n${refusal()}\n${refusal({ time: '2026-11-21T10:00:01.500000Z' })}` },
      ],
      ['kubectl logs -n istio-system ztunnel-a', { code: 1, stderr: 'error: pod is gone' }],
      ['kubectl exec', { fails: 'timeout' }],
      ['kubectl logs -n shop', { stdout: '\u0000\u0001{{{\n[x] "\n' }],
    ])
    const unread: string[] = []
    const missing = new Set<string>()
    const onUnread = (what: string, by: readonly string[]): void => {
      unread.push(what)
      for (const one of by) missing.add(one)
    }
    const found = await collectSightings({ tools, place }, asked, { onUnread })
    assert.deepEqual([...missing].sort(), ['hubble', 'ztunnel'])
    assert.equal(found.length, 1, 'twice the same line is one sighting, and one without its end is none')
    assert.deepEqual(unread.sort(), [
      'Hubble on bulkhead-worker could not be read: kubectl: timeout',
      'the log of ztunnel on bulkhead-worker could not be read: error: pod is gone',
    ])
  })

  it('is nothing where the cluster does not answer, and says so', async () => {
    for (const answer of [{ code: 1, stderr: 'connection refused' }, { stdout: '{' }, { fails: 'missing' }] as const) {
      const unread: string[] = []
      const tools = recordingTools([['kubectl get', answer]])
      const found = await collectSightings({ tools, place }, asked, { onUnread: (what) => unread.push(what) })
      assert.deepEqual([found.length, unread.length], [0, 1])
      assert.match(unread[0] ?? '', /^who keeps records could not be asked: /)
    }
  })

  it('is not waited for once the run is stopped', async () => {
    const stop = new AbortController()
    const tools = recordingTools([...pods, ['kubectl logs -n istio-system ztunnel-b', { hangs: true }], ...others])
    const reading = collectSightings({ tools, place }, asked, { stopped: true, signal: stop.signal })
    setImmediate(() => stop.abort(new Error('stopped')))
    await assert.rejects(reading, /stopped/)
  })
})

describe('whether a sighting is of an attempt', () => {
  const proxies = new Set(['10.244.2.50'])
  const sighting = (changes: Partial<Sighting> = {}): Sighting => ({
    by: 'ztunnel',
    at: '2026-11-21T10:00:01.000Z',
    outcome: 'deny',
    source: { ip: '10.244.1.6' },
    destination: { ip: '10.244.2.9', port: 8080 },
    line: '',
    ...changes,
  })
  const outside: Asked = {
    ...asked,
    from: { ips: [] },
    flow: {
      from: { external: '203.0.113.9' },
      to: { service: 'shop/shop-gateway-istio' },
      port: 80,
      http: { method: 'GET', path: '/', host: 'shop.example' },
    },
    to: { service: 'shop/shop-gateway-istio', ips: ['10.244.2.50'], ports: [80] },
  }
  const get = { method: 'GET', path: '/?q=1' }
  for (const [what, is, changes, of = asked] of [
    ['both ends and the port are its own', true, {}],
    ['a moment before', true, { at: '2026-11-21T09:59:59.600Z' }],
    ['long before', false, { at: '2026-11-21T09:59:50.000Z' }],
    ['long after', false, { at: '2026-11-21T10:00:09.000Z' }],
    ['another caller', false, { source: { ip: '10.244.1.7' } }],
    ['the waypoint, on its behalf', true, { source: { ip: '10.244.2.50' } }],
    ['another destination', false, { destination: { ip: '10.244.2.8', port: 8080 } }],
    ['another port', false, { destination: { ip: '10.244.2.9', port: 9090 } }],
    ['the HBONE port, which is what is on the wire', true, { destination: { ip: '10.244.2.9', port: 15008 } }],
    [
      'another Service at that address',
      false,
      { destination: { service: 'shop/other', ip: '10.244.2.9', port: 8080 } },
    ],
    [
      'from outside, by whatever address',
      true,
      { source: { ip: '172.18.0.1' }, destination: { ip: '10.244.2.50', port: 80 } },
      outside,
    ],
    [
      'its request at the gateway',
      true,
      { http: get, destination: { ip: '10.244.2.50', port: 80, host: 'shop.example' } },
      outside,
    ],
    ['another path', false, { http: { ...get, path: '/x' }, destination: { ip: '10.244.2.50', port: 80 } }, outside],
    ['another host', false, { http: get, destination: { ip: '10.244.2.50', port: 80, host: 'b.example' } }, outside],
  ] as const satisfies readonly (readonly [string, boolean, Partial<Sighting>, Asked?])[]) {
    it(`${what}: ${is}`, () => assert.equal(isAbout(sighting(changes), of, proxies), is))
  }

  it('the question for its name', () => {
    const named: Asked = { ...asked, to: { host: 'api.github.com', ips: [], ports: [443] } }
    const question = (host: string) => sighting({ destination: { ip: '10.244.0.5', port: 53, host } })
    assert.equal(isAbout(question('api.github.com.'), named, proxies), true)
    assert.equal(isAbout(question('api.cloudflare.com'), named, proxies), false)
  })
})
