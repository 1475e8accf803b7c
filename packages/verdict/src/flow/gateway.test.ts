import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject, Resource } from '@bulkhead/resources'
import { compile } from '../model/compile.js'
import {
  ambient,
  authorizationPolicy,
  gateway,
  httpRoute,
  namespace,
  resource,
  service,
  workload,
} from '../testing/objects.js'
import type { Flow, Verdict } from '../types.js'
import { FlowError } from './errors.js'
import { judge } from './judge.js'

/*
 * Ways to a gateway, past it, and from it.
 */

const nodePort = resource({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'door', namespace: 'app' },
  data: { service: 'spec: {type: NodePort, ports: [{port: 80, nodePort: 30080}]}' },
} as KubernetesObject)
const infrastructure = { parametersRef: { group: '', kind: 'ConfigMap', name: 'door' } }

const scene: readonly Resource[] = [
  ambient('app'),
  namespace('plain'),
  workload('app/dst', { ports: [{ containerPort: 8080 }] }),
  workload('app/src'),
  workload('plain/src'),
  workload('plain/dst', { ports: [{ containerPort: 8080 }] }),
  service('app/dst', { port: 80, targetPort: 8080 }),
  service('plain/dst', { port: 80, targetPort: 8080 }),
  nodePort,
  gateway('app/gw', { infrastructure }),
  httpRoute('app/r', 'gw', { rules: [{ backendRefs: [{ name: 'dst', port: 80 }] }] }),
]

function ask(flow: Partial<Flow>, ...more: readonly Resource[]): Verdict {
  const replaced = new Set(more.map(({ id }) => id))
  const snapshot = compile([...scene.filter(({ id }) => !replaced.has(id)), ...more])
  return judge({ from: { external: '172.18.0.1' }, to: { service: 'app/gw-istio' }, port: 80, ...flow }, snapshot)
}

const points = ({ steps }: Verdict): string[] => steps.map(({ hop, point }) => `${hop} ${point}`)
const denied = ({ outcome, symptom, steps, decidedBy }: Verdict): unknown[] => {
  const step = steps[decidedBy?.step ?? -1]
  return [outcome, symptom, decidedBy?.hop, step?.point, step?.code]
}

test('by the node and its port, by name, by address, by workload: it is the same gateway', () => {
  for (const flow of [
    { to: { node: 'bulkhead-worker2' }, port: 30080 },
    { to: { ip: '172.18.0.3' }, port: 30080 },
    { to: { workload: 'app/gw-istio' } },
    { from: { workload: 'app/src' } },
    { from: { workload: 'app/src' }, to: { host: 'gw-istio.app.svc.cluster.local' } },
    { from: { workload: 'plain/src' }, to: { host: 'gw-istio.app' } },
  ] satisfies Partial<Flow>[]) {
    const of = ask(flow)
    assert.equal(of.outcome, 'allow', JSON.stringify(flow))
    assert.equal(of.hops.length, 2)
    assert.deepEqual([of.hops[0]?.to, of.hops[0]?.tuple.port, of.hops[0]?.as], ['app/gw-istio', 80, undefined])
    assert.equal(of.hops[1]?.as, 'spiffe://cluster.local/ns/app/sa/gw-istio')
  }
})

test('another port of the node is the node’s own; of the range for Services it is known that nothing listens', () => {
  const own = ask({ to: { node: 'bulkhead-worker2' }, port: 10250 })
  assert.deepEqual([own.outcome, own.hops.length, own.hops[0]?.to], ['allow', 1, 'node bulkhead-worker2'])
  const closed: Partial<Flow> = { to: { node: 'bulkhead-worker2' }, port: 30081 }
  // The status port of the gateway has a node port too, which the manifests do not pin: it may be this one.
  assert.equal(ask(closed).outcome, 'allow')
  const overlay = 'spec: {type: NodePort, ports: [{port: 80, nodePort: 30080}, {port: 15021, nodePort: 30021}]}'
  const pinned = resource({ ...nodePort.object, data: { service: overlay } } as KubernetesObject)
  const refused = ask(closed, pinned)
  assert.deepEqual(denied(refused), ['deny', 'refused', 0, 'cni-ingress', 'network.nothing-listens'])
  assert.match(refused.text, /port 30081 \(it has the node ports 30021, 30080\)$/)
  const none = gateway('app/gw', {}, { annotations: { 'networking.istio.io/service-type': 'ClusterIP' } })
  assert.equal(denied(ask({ ...closed, port: 30080 }, none)).at(-1), 'network.nothing-listens')
})

test('without a request it is GET / with the Host that such a client sends', () => {
  const hostOf = (flow: Partial<Flow>): unknown => {
    const named = httpRoute('app/r', 'gw', { hostnames: ['nobody.example'] })
    return ask(flow, named).steps.at(-1)?.facts?.host
  }
  const src = { workload: 'app/src' }
  assert.equal(hostOf({}), 'localhost:30080')
  assert.equal(hostOf({ from: src }), 'gw-istio')
  assert.equal(hostOf({ from: { workload: 'plain/src' } }), 'gw-istio.app')
  assert.equal(hostOf({ from: src, to: { host: 'gw-istio.app.svc' } }), 'gw-istio.app.svc')
  assert.equal(hostOf({ to: { ip: '172.18.0.3' }, port: 30080 }), '172.18.0.3:30080')
  assert.equal(hostOf({ from: src, to: { workload: 'app/gw-istio' } }), 'gw-istio')
  const http = { method: 'GET', path: '/' }
  assert.equal(hostOf({ http: { ...http, host: 'a.example' } }), 'a.example')
  assert.equal(hostOf({ http: { ...http, headers: { Host: 'b.example' } } }), 'b.example')
})

test('policies read a request as the gateway has it: what a client cannot say is not heard (Envoy’s connection manager)', () => {
  const target = { kind: 'Gateway', group: 'gateway.networking.k8s.io', name: 'gw' }
  const matches = (header: string, value: string, headers: Readonly<Record<string, string>>): boolean => {
    const rules = [{ when: [{ key: `request.headers[${header}]`, values: [value] }] }]
    const policy = authorizationPolicy('app/p', { targetRefs: [target], action: 'ALLOW', rules })
    return ask({ http: { method: 'GET', path: '/', host: 'a.example', headers } }, policy).outcome === 'allow'
  }
  assert.equal(matches('x-team', 'blue', { 'X-Team': 'blue' }), true)
  for (const [name, value] of [
    ['X-Forwarded-Client-Cert', 'URI=spiffe://cluster.local/ns/app/sa/src'],
    ['x-envoy-internal', 'true'],
    ['x-request-id', 'mine'],
    ['upgrade', 'websocket'],
    ['te', 'trailers'],
  ] as const)
    assert.equal(matches(name.toLowerCase(), value, { [name]: value }), false, name)
  assert.equal(matches('x-forwarded-proto', 'https', { 'x-forwarded-proto': 'https' }), false)
  assert.equal(matches('x-forwarded-proto', 'http', {}), true)
  assert.equal(matches('x-forwarded-for', '10.0.0.1', { 'x-forwarded-for': '10.0.0.1' }), false)
  assert.equal(matches('x-forwarded-for', '10.0.0.1,172.18.0.1', { 'x-forwarded-for': '10.0.0.1' }), true)
  assert.equal(matches('x-forwarded-for', '172.18.0.1', {}), true)
  assert.equal(matches('x-team', 'blue', { 'x-team': 'blue', connection: 'close, X-Team' }), false)
})

test('a denied host with a dot at its end is no way round: the routes know no such name', () => {
  const target = { kind: 'Gateway', group: 'gateway.networking.k8s.io', name: 'gw' }
  const closed = authorizationPolicy('app/p', {
    targetRefs: [target],
    action: 'DENY',
    rules: [{ to: [{ operation: { hosts: ['shop.example', 'shop.example:*'] } }] }],
  })
  const named = httpRoute('app/r', 'gw', {
    hostnames: ['shop.example'],
    rules: [{ backendRefs: [{ name: 'dst', port: 80 }] }],
  })
  const codeOf = (host: string, ...more: readonly Resource[]) =>
    denied(ask({ http: { method: 'GET', path: '/', host } }, named, ...more)).at(-1)
  assert.equal(codeOf('shop.example'), undefined)
  assert.equal(codeOf('shop.example', closed), 'authz.rule-denies')
  assert.equal(codeOf('shop.example:8080', closed), 'authz.rule-denies')
  assert.equal(codeOf('shop.example.', closed), 'route.no-host')
  assert.equal(codeOf('shop.example.:8080', closed), 'route.no-host')
})

test('a gateway finds the pods of a headless Service with their own port', () => {
  const headless = ask({}, service('app/dst', { port: 80, targetPort: 8080, headless: true }))
  assert.deepEqual([headless.outcome, headless.hops[1]?.tuple.port], ['allow', 15008])
  const plain = ask(
    {},
    service('plain/dst', { port: 80, targetPort: 8080, headless: true }),
    resource({
      apiVersion: 'gateway.networking.k8s.io/v1beta1',
      kind: 'ReferenceGrant',
      metadata: { name: 'g', namespace: 'plain' },
      spec: {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'app' }],
        to: [{ group: '', kind: 'Service' }],
      },
    } as KubernetesObject),
    httpRoute('app/r', 'gw', { rules: [{ backendRefs: [{ name: 'dst', namespace: 'plain', port: 80 }] }] }),
  )
  assert.deepEqual([plain.outcome, plain.hops[1]?.tuple.port], ['allow', 8080])
})

test('what the proxy listens on beside its listeners asks no policy and no route', () => {
  const closed = authorizationPolicy('app/nothing', {})
  const of = ask({ from: { workload: 'plain/src' }, port: 15021 }, closed)
  assert.deepEqual([of.outcome, ...points(of)], ['allow', '0 cni-egress', '0 cni-ingress', '0 ztunnel'])
  assert.deepEqual(denied(ask({ from: { workload: 'plain/src' }, to: { workload: 'app/gw-istio' }, port: 81 })), [
    'deny',
    'refused',
    0,
    'cni-ingress',
    'network.nothing-listens',
  ])
})

test('a gateway has no HBONE port, and nothing of it is UDP', () => {
  const certificate = ask({ from: { workload: 'plain/src' }, to: { workload: 'app/gw-istio' }, certificate: 'none' })
  assert.equal(denied(certificate).at(-1), 'network.nothing-listens')
  const udp = ask({ from: { workload: 'plain/src' }, to: { workload: 'app/gw-istio' }, protocol: 'UDP' })
  assert.equal(denied(udp).at(-1), 'network.nothing-listens')
})

test('a gateway as the caller: HBONE as itself to who is captured, plain text to the rest', () => {
  const from = { workload: 'app/gw-istio' }
  const mesh = ask({ from, to: { service: 'app/dst' } })
  assert.deepEqual([mesh.hops[0]?.tuple.port, mesh.hops[0]?.as], [15008, 'spiffe://cluster.local/ns/app/sa/gw-istio'])
  const rest = ask({ from, to: { service: 'plain/dst' } })
  assert.deepEqual([rest.outcome, rest.hops[0]?.tuple.port, rest.hops[0]?.as], ['allow', 8080, undefined])
})

test('whatever stops the gateway on its way is 503 to its client', () => {
  const forward = (name: string): Resource =>
    httpRoute('app/r', 'gw', { rules: [{ backendRefs: [{ name, port: 80 }] }] })
  const nobody = service('app/nobody', { port: 80 })
  assert.deepEqual(denied(ask({}, nobody, forward('nobody'))), [
    'deny',
    'gateway-503',
    1,
    'cni-egress',
    'network.no-endpoint',
  ])
  const closed = authorizationPolicy('app/closed', { selector: { matchLabels: { app: 'dst' } } })
  assert.deepEqual(denied(ask({}, closed)), ['deny', 'gateway-503', 1, 'ztunnel', 'authz.no-rule-allows'])
  assert.match(ask({}, closed).text, / {3}DENIED by default \(ztunnel, behind the gateway\)$/)
})

test('a DestinationRule with TLS of its own leaves it unknown how the gateway calls', () => {
  const rule = (spec: object, key = 'app/tls'): Resource => {
    const [ns = '', name = ''] = key.split('/')
    const metadata = { name, namespace: ns }
    return resource({
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata,
      spec,
    } as KubernetesObject)
  }
  const tls = { trafficPolicy: { tls: { mode: 'DISABLE' } } }
  for (const spec of [
    { host: 'dst', ...tls },
    { host: 'dst.app.svc.cluster.local', trafficPolicy: { portLevelSettings: [{ tls: { mode: 'DISABLE' } }] } },
    { host: 'dst', subsets: [{ name: 'v1', ...tls }] },
    { host: '*', ...tls },
    { host: '*.local', ...tls },
    { host: '*.app.svc.cluster.local', ...tls },
  ]) {
    const of = ask({}, rule(spec))
    assert.deepEqual([of.outcome, of.symptom], ['unknown', 'gateway-503'])
    assert.equal(of.steps.find(({ outcome }) => outcome === 'unknown')?.policy, 'DestinationRule/app/tls')
  }
  for (const host of ['other', '*.other.svc.cluster.local', '*.example.org'])
    assert.equal(ask({}, rule({ host, ...tls })).outcome, 'allow', host)
  assert.equal(ask({}, rule({ host: 'dst', trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } })).outcome, 'allow')
  assert.equal(
    ask({ from: { workload: 'app/src' }, to: { service: 'app/dst' } }, rule({ host: 'dst', ...tls })).outcome,
    'allow',
  )
})

test('and so does a BackendTLSPolicy on the Service', () => {
  const metadata = { name: 'tls', namespace: 'app' }
  const spec = { targetRefs: [{ group: '', kind: 'Service', name: 'dst' }] }
  const apiVersion = 'gateway.networking.k8s.io/v1'
  const of = ask({}, resource({ apiVersion, kind: 'BackendTLSPolicy', metadata, spec } as KubernetesObject))
  assert.deepEqual([of.outcome, of.symptom], ['unknown', 'gateway-503'])
})

test('a Service’s cluster IP is not for the outside, and the answer says what is', () => {
  const of = ask({ to: { service: 'app/dst' } })
  assert.deepEqual(denied(of), ['deny', 'timeout', 0, 'cni-egress', 'network.unreachable'])
  assert.match(of.text, /nothing answers for 10\.96\.\d+\.\d+ from there: a cluster IP is for callers inside/)
})

test('a gateway behind a gateway is not modelled, and asks nobody in a circle', () => {
  const circle = httpRoute('app/r', 'gw', { rules: [{ backendRefs: [{ name: 'gw-istio', port: 80 }] }] })
  const of = ask({}, circle)
  assert.deepEqual([of.outcome, of.symptom, of.hops.length], ['unknown', 'gateway-503', 2])
})

test('of equals the first backend is judged', () => {
  const backendRefs = [
    { name: 'dst', port: 80, weight: 5 },
    { name: 'other', port: 80, weight: 5 },
  ]
  const of = ask({}, service('app/other'), httpRoute('app/r', 'gw', { rules: [{ backendRefs }] }))
  assert.equal(of.hops[1]?.to, 'app/dst')
})

test('a heaviest backend that cannot be used answers 500', () => {
  const backendRefs = [
    { name: 'dst', port: 80, weight: 1 },
    { name: 'nobody', port: 80, weight: 9 },
  ]
  const of = ask({}, httpRoute('app/r', 'gw', { rules: [{ backendRefs }] }))
  assert.deepEqual(denied(of), ['deny', 'gateway-500', 0, 'gateway', 'route.no-backend'])
  assert.equal(of.hops.length, 1)
})

test('the first line says what came of it', () => {
  const request = (path: string): Partial<Flow> => ({ http: { method: 'GET', path, host: 'a.example' } })
  const text = (flow: Partial<Flow>, ...more: readonly Resource[]): string =>
    ask(flow, ...more).text.replace(/^.* {3}/, '')
  assert.equal(text({}), 'ALLOWED')
  const layered = authorizationPolicy('app/p', { targetRefs: [], rules: [] }, { layer: '70-ingress' })
  assert.equal(text({}, layered), 'DENIED by 70-ingress (gateway)')
  const closed = authorizationPolicy('app/q', { selector: { matchLabels: { app: 'dst' } } }, { layer: '50-identity' })
  assert.equal(text({}, closed), 'DENIED by 50-identity (ztunnel, behind the gateway)')
  assert.equal(
    text({}, layered, authorizationPolicy('app/q', {}, { layer: '50-identity' })),
    'DENIED by 50-identity and 70-ingress (gateway)',
  )
  const named = httpRoute('app/r', 'gw', { hostnames: ['b.example', '*.c.example'] })
  assert.equal(
    text(request('/'), named),
    'NOT FOUND (404): no route of Gateway/app/gw answers for the host a.example (it has b.example, *.c.example)',
  )
  const nowhere = httpRoute('app/r', 'gw', { rules: [{ backendRefs: [{ name: 'nobody', port: 80 }] }] })
  assert.match(text({}, nowhere), /^NO BACKEND \(500\): rule 0 of HTTPRoute\/app\/r matches, and .*app\/nobody/)
  const moved = { type: 'RequestRedirect', requestRedirect: { hostname: 'new.example' } } as const
  assert.equal(
    text({}, httpRoute('app/r', 'gw', { rules: [{ filters: [moved] }] })),
    'REDIRECTED to http://new.example/',
  )
  assert.equal(text({}, gateway('app/gw', { gatewayClassName: 'cilium' })), 'UNKNOWN: Gateway/app/gw is not modelled')
})

test('a Service or workload of a Gateway that is not there is an unknown name, and says what would bring it', () => {
  const none = scene.filter(({ kind }) => kind !== 'Gateway')
  const flow: Flow = { from: { external: '172.18.0.1' }, to: { service: 'app/gw-istio' }, port: 80 }
  const wrong = (what: Flow, code: string, message: string): void =>
    assert.throws(
      () => judge(what, compile(none)),
      (error) => error instanceof FlowError && error.code === code && error.message === message,
    )
  const hint = '(it would be that of a Gateway "app/gw", and there is none)'
  wrong(flow, 'flow.unknown-service', `there is no Service "app/gw-istio" ${hint}`)
  wrong(
    { ...flow, to: { workload: 'app/gw-istio' } },
    'flow.unknown-workload',
    `there is no workload "app/gw-istio" ${hint}`,
  )
})
