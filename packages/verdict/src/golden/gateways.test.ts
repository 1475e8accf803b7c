import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import { judge } from '../flow/judge.js'
import { compile } from '../model/compile.js'
import {
  ambient,
  authorizationPolicy,
  ciliumPolicy,
  gateway,
  httpRoute,
  namespace,
  peerAuthentication,
  service,
  waypoint,
  workload,
} from '../testing/objects.js'
import type { Flow, FlowSource, Verdict } from '../types.js'

/*
 * Golden vectors 111 to 113 and 134, and what the seeds' own manifests do at a gateway (V5, V9): a request from outside,
 * through app/gw to the Service app/dst.
 */

const outside: FlowSource = { external: '172.18.0.1' }
const ports = [8080, 8081].map((containerPort) => ({ containerPort }))
const toDst = [{ backendRefs: [{ name: 'dst', port: 80 }] }]
const gatewayPrincipal = 'cluster.local/ns/app/sa/gw-istio'
const onDst = { matchLabels: { app: 'dst' } }
const onGateway = [{ kind: 'Gateway', group: 'gateway.networking.k8s.io', name: 'gw' }]

const scene: readonly Resource[] = [
  ambient('app'),
  namespace('plain'),
  namespace('istio-system'),
  workload('app/dst', { ports }),
  workload('app/src'),
  workload('plain/src'),
  service('app/dst', { port: 80, targetPort: 8080 }),
  gateway('app/gw'),
  httpRoute('app/r', 'gw', { rules: toDst }),
]

function ask(policies: readonly Resource[], rest: Partial<Flow> = {}): Verdict {
  const replaced = new Set(policies.map(({ id }) => id))
  const snapshot = compile([...scene.filter(({ id }) => !replaced.has(id)), ...policies])
  return judge({ from: outside, to: { service: 'app/gw-istio' }, port: 80, ...rest }, snapshot)
}

/** Outcome, symptom, and where it was decided: hop, point, code. */
function short({ outcome, symptom, decidedBy, steps }: Verdict): readonly unknown[] {
  const step = decidedBy && steps[decidedBy.step]
  return step === undefined ? [outcome, symptom] : [outcome, symptom, step.hop, step.point, step.code]
}

const allow = (principal: string, port?: string): Resource =>
  authorizationPolicy(`app/allow-${port ?? 'all'}`, {
    selector: onDst,
    rules: [
      { from: [{ source: { principals: [principal] } }], ...(port && { to: [{ operation: { ports: [port] } }] }) },
    ],
  })

test('a request from outside has two hops, the second as the gateway, and every step of both', () => {
  const of = ask([])
  assert.deepEqual(short(of), ['allow', 'ok'])
  assert.deepEqual(
    of.hops.map(({ from, to, tuple, as }) => [from, to, tuple.port, as]),
    [
      ['172.18.0.1', 'app/gw-istio', 80, undefined],
      ['app/gw-istio', 'app/dst', 15008, `spiffe://${gatewayPrincipal}`],
    ],
  )
  assert.deepEqual(
    of.steps.map(({ hop, point, engine, code }) => [hop, point, engine, code]),
    [
      [0, 'cni-ingress', 'kubernetes', 'network.no-policy'],
      [0, 'gateway', 'istio', 'authz.no-allow-policy'],
      [0, 'gateway', 'gateway-api', 'route.forwards'],
      [1, 'cni-egress', 'kubernetes', 'network.no-policy'],
      [1, 'cni-ingress', 'kubernetes', 'network.no-policy'],
      [1, 'ztunnel', 'istio', 'mtls.no-policy'],
      [1, 'ztunnel', 'istio', 'authz.no-allow-policy'],
    ],
  )
})

const closed = authorizationPolicy('app/closed', { targetRefs: [{ kind: 'Service', group: '', name: 'dst' }] })

test('111 TestIngressToWaypoint: a gateway goes round the waypoint of the Service, and it is said', () => {
  const labels = { 'istio.io/use-waypoint': 'wp' }
  const behind = service('app/dst', { port: 80, targetPort: 8080, labels })
  const of = ask([waypoint('app/wp'), behind, closed])
  assert.deepEqual(short(of), ['allow', 'ok'])
  const step = of.steps.find(({ code }) => code === 'waypoint.walked-past')
  assert.deepEqual([step?.hop, step?.facts?.why], [1, 'ingress'])
})

test('112 TestIngressToWaypoint: unless the Service, or its namespace, wants it', () => {
  const labels = { 'istio.io/use-waypoint': 'wp', 'istio.io/ingress-use-waypoint': 'true' }
  const behind = service('app/dst', { port: 80, targetPort: 8080, labels })
  const of = ask([waypoint('app/wp'), behind, closed])
  assert.deepEqual(short(of), ['deny', 'rbac-403', 1, 'waypoint', 'authz.no-rule-allows'])
  assert.deepEqual(
    of.hops.map(({ to, as }) => [to, as]),
    [
      ['app/gw-istio', undefined],
      ['app/wp', `spiffe://${gatewayPrincipal}`],
      ['app/dst', 'spiffe://cluster.local/ns/app/sa/wp'],
    ],
  )
  assert.deepEqual(short(ask([waypoint('app/wp'), behind])), ['allow', 'ok'])
  const ns = namespace('app', { 'istio.io/dataplane-mode': 'ambient', ...labels })
  assert.equal(ask([waypoint('app/wp'), ns, closed]).symptom, 'rbac-403')
})

test('113 TestAuthorizationGateway: at the destination the caller is the gateway, and the port is the container’s', () => {
  const policies = [allow(gatewayPrincipal, '8080'), allow('cluster.local/ns/app/sa/src', '8081')]
  assert.deepEqual(short(ask(policies)), ['allow', 'ok'])
  const q = service('app/dst', { port: 80, targetPort: 8081 })
  assert.deepEqual(short(ask([...policies, q])), ['deny', 'gateway-503', 1, 'ztunnel', 'authz.no-rule-allows'])
  // The Service's number is not the container's.
  const wrong = [allow(gatewayPrincipal, '80')]
  assert.deepEqual(short(ask(wrong)), ['deny', 'gateway-503', 1, 'ztunnel', 'authz.no-rule-allows'])
})

test('134 a gateway that lets only its own node in is closed to clients outside, whoever is asked behind it', () => {
  const endpointSelector = { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'gw' } }
  const onlyHost = ciliumPolicy('app/only-host', { endpointSelector, ingress: [{ fromEntities: ['host'] }] })
  const of = ask([onlyHost])
  assert.deepEqual([of.outcome, of.symptom], ['deny', 'timeout'])
  const step = of.steps.find(({ outcome }) => outcome === 'deny')
  assert.deepEqual([step?.point, step?.code], ['cni-ingress', 'cni.default-deny'])
  assert.deepEqual(
    step?.isolatedBy?.map(({ policy }) => policy),
    ['CiliumNetworkPolicy/app/only-host'],
  )
  assert.equal(of.hops.length, 2)
  const open = ciliumPolicy('app/only-host', { endpointSelector, ingress: [{ fromEntities: ['host', 'world'] }] })
  assert.deepEqual(short(ask([open])), ['allow', 'ok'])
})

test('STRICT behind the gateway is no hindrance: it speaks HBONE as itself', () => {
  assert.deepEqual(short(ask([peerAuthentication('app/default', { mtls: { mode: 'STRICT' } })])), ['allow', 'ok'])
})

test('V5 the User-Agent policy: Chrome on a Mac is let in, and so is whoever writes the same', () => {
  const chrome =
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36'
  const prefix = `${chrome.slice(0, chrome.indexOf('Chrome/') + 7)}*`
  const chromeOnly = authorizationPolicy('app/gthulhu-gateway-allow-chrome-only', {
    selector: { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'gw' } },
    action: 'ALLOW',
    rules: [{ when: [{ key: 'request.headers[User-Agent]', values: [prefix] }] }],
  })
  const as = (agent?: string): Verdict =>
    ask([chromeOnly], { http: { method: 'GET', path: '/', ...(agent && { headers: { 'User-Agent': agent } }) } })
  assert.deepEqual(short(as(chrome)), ['allow', 'ok'])
  const refused = ['deny', 'rbac-403', 0, 'gateway', 'authz.no-rule-allows']
  assert.deepEqual(short(as('Safari/605.1.15')), refused)
  assert.deepEqual(
    short(as(chrome.replace('Macintosh; Intel Mac OS X 10_15_7', 'Windows NT 10.0; Win64; x64'))),
    refused,
  )
  assert.deepEqual(short(as()), refused, '6.2: the health check of before the policy is refused now')
})

test('V9 allow-nothing in the gateway’s namespace closes the gateway itself: 403', () => {
  const of = ask([authorizationPolicy('app/allow-nothing', {})])
  assert.deepEqual(short(of), ['deny', 'rbac-403', 0, 'gateway', 'authz.no-rule-allows'])
  // What stands behind is judged all the same: it would stop the request too.
  assert.deepEqual(
    of.steps.filter(({ outcome }) => outcome === 'deny').map(({ hop }) => hop),
    [0, 1],
  )
})

test('V9 with an ALLOW on the gateway alone, the chain behind it is closed: 503', () => {
  const nothing = authorizationPolicy('app/allow-nothing', {})
  const open = authorizationPolicy('app/gateway', { targetRefs: onGateway, rules: [{}] })
  assert.deepEqual(short(ask([nothing, open])), ['deny', 'gateway-503', 1, 'ztunnel', 'authz.no-rule-allows'])
  assert.deepEqual(short(ask([nothing, open, allow(gatewayPrincipal)])), ['allow', 'ok'])
})

test('V9 the principal of the classic ingress gateway does not let a Gateway API gateway in', () => {
  const classic = 'cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account'
  assert.deepEqual(short(ask([allow(classic)])), ['deny', 'gateway-503', 1, 'ztunnel', 'authz.no-rule-allows'])
  assert.deepEqual(short(ask([allow(gatewayPrincipal)])), ['allow', 'ok'])
})

test('a redirect is an answer of the gateway, and a policy that denies it comes first', () => {
  const redirect = { type: 'RequestRedirect', requestRedirect: { hostname: 'example.org' } } as const
  const route = httpRoute('app/r', 'gw', { rules: [{ filters: [redirect] }] })
  const of = ask([route])
  assert.deepEqual(short(of), ['allow', 'redirected'])
  assert.equal(of.hops.length, 1)
  assert.deepEqual(short(ask([route, authorizationPolicy('app/n', {})])).slice(0, 2), ['deny', 'rbac-403'])
})

test('404 for a host or path that no route has, 500 for a Service that is not there', () => {
  const named = httpRoute('app/r', 'gw', { hostnames: ['shop.example.org'], rules: toDst })
  assert.deepEqual(short(ask([named])), ['deny', 'gateway-404', 0, 'gateway', 'route.no-host'])
  const host = { method: 'GET', path: '/', host: 'shop.example.org' }
  assert.deepEqual(short(ask([named], { http: host })), ['allow', 'ok'])
  const paths = [{ matches: [{ path: { type: 'PathPrefix', value: '/api' } as const }], ...toDst[0] }]
  const narrow = httpRoute('app/r', 'gw', { rules: paths })
  assert.deepEqual(short(ask([narrow])), ['deny', 'gateway-404', 0, 'gateway', 'route.no-match'])
  const nowhere = httpRoute('app/r', 'gw', { rules: [{ backendRefs: [{ name: 'nobody', port: 80 }] }] })
  assert.deepEqual(short(ask([nowhere])), ['deny', 'gateway-500', 0, 'gateway', 'route.no-backend'])
})

test('of weighted backends the heaviest is judged, and it says so', () => {
  const backends = [
    { name: 'dst', port: 80, weight: 10 },
    { name: 'other', port: 80, weight: 90 },
  ]
  const others = [service('app/other'), workload('app/other', { ports: [{ containerPort: 80 }] })]
  const closed = authorizationPolicy('app/other-nothing', { selector: { matchLabels: { app: 'other' } } })
  const split = httpRoute('app/r', 'gw', { rules: [{ backendRefs: backends }] })
  const of = ask([...others, closed, split])
  assert.deepEqual(short(of), ['deny', 'gateway-503', 1, 'ztunnel', 'authz.no-rule-allows'])
  const forwards = of.steps.find(({ code }) => code === 'route.forwards')
  assert.equal(forwards?.facts?.backend, 'app/other:80 (90 of 100 requests)')
})
