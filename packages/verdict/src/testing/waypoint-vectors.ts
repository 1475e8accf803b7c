import type { Resource } from '@bulkhead/resources'
import type { RandomCall } from './arbitrary-calls.js'
import * as make from './objects.js'
import { onDst, scene, srcPrincipal } from './scene.js'
import { behindWaypoint, onClass, onService, waypointPrincipal, wp } from './waypoint-scene.js'

/*
 * Test code: the golden vectors of requests and of waypoints (semantics G.3, G.4), for whoever judges a whole way. An answer
 * is the outcome, what the client sees, and where it was decided: hop, point, code.
 */

export interface Vector {
  readonly name: string
  readonly resources: readonly Resource[]
  readonly call: RandomCall
  readonly answer: readonly [outcome: 'allow', symptom: 'ok'] | readonly ['deny', string, number, string, string]
}

const allow = ['allow', 'ok'] as const
const noAllow = 'authz.no-rule-allows'
const atWaypoint = ['deny', 'rbac-403', 0, 'waypoint', noAllow] as const
const atZtunnel = (why: string) => ['deny', 'reset', 0, 'ztunnel', why] as const
const behind = (point: string, why: string) => ['deny', 'gateway-503', 1, point, why] as const

const get = { method: 'GET', path: '/', host: 'dst.app', headers: {} }
const src = 'app/src'
const toDst: RandomCall = { from: src, to: { service: 'app/dst' }, port: 80, request: get }
const toPod: RandomCall = { from: src, to: { workload: 'app/dst' }, port: 8080, request: get }
const plainToPod: RandomCall = { ...toPod, from: 'plain/src' }

const sources = (...principals: string[]) => [{ from: [{ source: { principals } }] }]
const onPod = (spec: object, key = 'app/on-pod'): Resource =>
  make.authorizationPolicy(key, { selector: onDst, ...spec })
const from = (...principals: string[]): object => ({ rules: sources(...principals) })
const waypointed = [...behindWaypoint, wp]
const named = (rows: readonly Vector[]): readonly Vector[] => rows

// Waypoints

const nothing = make.authorizationPolicy('istio-system/allow-nothing', {})
const allowWaypoint = onPod(from(waypointPrincipal), 'app/allow-waypoint')
const header = onService({ rules: [{ when: [{ key: 'request.headers[x-foo]', values: ['x-bar'] }] }] })
const withHeader = (value: string): RandomCall => ({ ...toDst, request: { ...get, headers: { 'X-Foo': value } } })
const strangers = onService({ rules: sources('cluster.local/ns/something/sa/else') })

export const waypointVectors = named([
  {
    name: '83 both the caller and the waypoint',
    resources: [...waypointed, onPod(from(srcPrincipal, waypointPrincipal))],
    call: toDst,
    answer: allow,
  },
  { name: '105 another principal', resources: [...waypointed, strangers], call: toDst, answer: atWaypoint },
  {
    name: '105 another Service',
    resources: [...waypointed, strangers],
    call: { ...toDst, to: { service: 'app/other' } },
    answer: allow,
  },
  { name: '106 the header', resources: [...waypointed, header], call: withHeader('x-bar'), answer: allow },
  { name: '106 another value', resources: [...waypointed, header], call: withHeader('x-baz'), answer: atWaypoint },
  { name: '106 no header', resources: [...waypointed, header], call: toDst, answer: atWaypoint },
  { name: '107', resources: [...waypointed, nothing], call: toDst, answer: behind('ztunnel', noAllow) },
  { name: '108', resources: [...waypointed, nothing, allowWaypoint], call: toDst, answer: allow },
  { name: '109', resources: [...waypointed, nothing, allowWaypoint, onClass({})], call: toDst, answer: atWaypoint },
  { name: '110 the pod', resources: [...waypointed, onService({})], call: toPod, answer: allow },
  { name: '110 the Service', resources: [...waypointed, onService({})], call: toDst, answer: atWaypoint },
  { name: '114 no such waypoint', resources: [...behindWaypoint, onService({})], call: toDst, answer: allow },
  {
    name: 'outside the mesh, past the waypoint',
    resources: [...waypointed, onService({})],
    call: { ...toDst, from: 'plain/src' },
    answer: allow,
  },
  {
    name: '136 the pod knows the caller, not the waypoint',
    resources: [...waypointed, onPod(from(srcPrincipal))],
    call: toDst,
    answer: behind('ztunnel', noAllow),
  },
])

// Gateways

const ports = [8080, 8081].map((containerPort) => ({ containerPort }))
const gatewayPrincipal = 'cluster.local/ns/app/sa/gw-istio'
const byGateway: RandomCall = { from: '203.0.113.7', to: { gateway: 'app/gw' }, port: 80, request: get }
const use = { 'istio.io/use-waypoint': 'wp' }
function front(labels: Readonly<Record<string, string>>, targetPort = 8080): readonly Resource[] {
  return [
    make.ambient('app'),
    make.namespace('istio-system'),
    make.workload('app/dst', { ports }),
    make.service('app/dst', { port: 80, targetPort, labels }),
    make.gateway('app/gw'),
    make.httpRoute('app/r', 'gw', { rules: [{ backendRefs: [{ name: 'dst', port: 80 }] }] }),
    wp,
  ]
}
const ofPorts = onPod({
  rules: [
    { ...sources(gatewayPrincipal)[0], to: [{ operation: { ports: ['8080'] } }] },
    { ...sources('cluster.local/ns/app/sa/else')[0], to: [{ operation: { ports: ['8081'] } }] },
  ],
})

export const gatewayVectors = named([
  { name: '111', resources: [...front(use), onService({})], call: byGateway, answer: allow },
  {
    name: '112',
    resources: [...front({ ...use, 'istio.io/ingress-use-waypoint': 'true' }), onService({})],
    call: byGateway,
    answer: ['deny', 'rbac-403', 1, 'waypoint', noAllow],
  },
  {
    name: '112 for whom the waypoint knows',
    resources: [
      ...front({ ...use, 'istio.io/ingress-use-waypoint': 'true' }),
      onService({ rules: sources(gatewayPrincipal) }),
    ],
    call: byGateway,
    answer: allow,
  },
  { name: '113 one port', resources: [...front({}), ofPorts], call: byGateway, answer: allow },
  {
    name: '113 the other',
    resources: [...front({}, 8081), ofPorts],
    call: byGateway,
    answer: behind('ztunnel', noAllow),
  },
  {
    name: '134',
    resources: [
      ...front({}),
      make.ciliumPolicy('app/gw', {
        endpointSelector: { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'gw' } },
        ingress: [{ fromEntities: ['host'] }],
      }),
    ],
    call: byGateway,
    answer: ['deny', 'timeout', 0, 'cni-ingress', 'cni.default-deny'],
  },
])

// What ztunnel makes of rules about requests, and of who has no identity

const toMethods = (methods: string[], rest: object = {}) => ({ to: [{ operation: { methods, ...rest } }] })
const srcOnly = { from: [{ source: { principals: [srcPrincipal] } }] }
const deny = (...rules: object[]): object => ({ action: 'DENY', rules })
const strict = make.peerAuthentication('app/default', { mtls: { mode: 'STRICT' } })
const rule = (resources: readonly Resource[], call: RandomCall, answer: Vector['answer'], name: string): Vector => ({
  name,
  resources: [...scene, ...resources],
  call,
  answer,
})
const other: RandomCall = { ...toPod, port: 9090 }
const uncaptured: RandomCall = { ...toPod, to: { workload: 'app/uncaptured' } }
const inNamespace = (names: object): object => ({ rules: [{ from: [{ source: names }] }] })

export const ztunnelVectors = named([
  rule([], plainToPod, allow, '78'),
  rule([strict], plainToPod, atZtunnel('mtls.strict-no-identity'), '79 plain'),
  rule([strict], toPod, allow, '79 captured'),
  rule([onPod(from('cluster.local/ns/something/sa/else'))], toPod, atZtunnel(noAllow), '84'),
  rule([make.authorizationPolicy('app/all', from('something/else'))], uncaptured, allow, '85'),
  rule([onPod(from(srcPrincipal))], plainToPod, atZtunnel(noAllow), '86'),
  rule([onPod({})], toPod, atZtunnel(noAllow), '87'),
  rule([onPod({ rules: [{}] })], toPod, allow, '88'),
  rule([onPod(deny({}))], toPod, atZtunnel('authz.rule-denies'), '89'),
  rule([onPod(inNamespace({ notNamespaces: ['bad'] }))], plainToPod, allow, '93'),
  rule(
    [onPod({ action: 'DENY', ...inNamespace({ notPrincipals: ['x'] }) })],
    plainToPod,
    atZtunnel('authz.rule-denies'),
    '94',
  ),
  rule([onPod(inNamespace({ namespaces: ['plain'] }))], plainToPod, atZtunnel(noAllow), '95'),
  rule([onPod(deny(srcOnly)), onPod(from(srcPrincipal), 'app/too')], toPod, atZtunnel('authz.rule-denies'), '96'),
  rule([onPod({ rules: [toMethods(['GET'])] })], toPod, atZtunnel(noAllow), '97'),
  rule([onPod(deny(toMethods(['GET'])))], toPod, allow, '98'),
  rule([onPod(deny(toMethods(['DELETE'], { ports: ['8080'] })))], toPod, atZtunnel('authz.rule-denies'), '99'),
  rule([onPod(deny({ ...srcOnly, ...toMethods(['GET']) }))], toPod, allow, '100'),
  rule([onPod(deny({ ...srcOnly, when: [{ key: 'request.headers[x]', values: ['*'] }] }))], toPod, allow, '101'),
  rule(
    [onPod(deny(toMethods(['DELETE']), { to: [{ operation: { ports: ['9090'] } }] }))],
    other,
    atZtunnel('authz.rule-denies'),
    '102',
  ),
  rule([onPod({ action: 'CUSTOM', provider: { name: 'x' }, rules: [{}] })], toPod, allow, '103'),
  rule([onService({})], toDst, allow, '104'),
])

// Walls of several layers

const hbone = (from: readonly object[]): Resource =>
  make.networkPolicy('app/hbone', { podSelector: onDst, ingress: [{ from: [...from], ports: [{ port: 15008 }] }] })
const fromSrc = hbone([{ podSelector: { matchLabels: { app: 'src' } } }])
const fromWaypoint = hbone([{ podSelector: { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'wp' } } }])
const only8080 = make.ciliumPolicy('app/egress', {
  endpointSelector: { matchLabels: { app: 'src' } },
  egress: [{ toEndpoints: [{}], toPorts: [{ ports: [{ port: '8080' }] }] }],
})
const world = make.ciliumPolicy('app/world', {
  ingress: [
    { fromEndpoints: [{}], toPorts: [{ ports: [{ port: '15008', protocol: 'TCP' }] }] },
    { fromEntities: ['world'], toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }] }] },
  ],
})
const outside: RandomCall = { ...toPod, from: '203.0.113.7' }

export const layeredVectors = named([
  {
    name: '124',
    resources: [...waypointed, fromSrc],
    call: toDst,
    answer: behind('cni-ingress', 'cni.default-deny'),
  },
  { name: '124 with the waypoint in', resources: [...waypointed, fromWaypoint], call: toDst, answer: allow },
  rule([fromSrc], toPod, allow, '125'),
  rule([world, onPod(from('cluster.local/ns/app/sa/src2'))], toPod, atZtunnel(noAllow), '126'),
  rule([world], toPod, allow, '127'),
  rule([world, strict], outside, atZtunnel('mtls.strict-no-identity'), '128'),
  rule([world, onPod(from(srcPrincipal))], outside, atZtunnel(noAllow), '129'),
  rule([world], outside, allow, '130'),
  rule([only8080], toPod, ['deny', 'late-reset', 0, 'cni-egress', 'cni.default-deny'], '131'),
  rule([only8080], uncaptured, allow, '132'),
  rule([hbone([{ podSelector: {} }])], toPod, allow, '120 captured'),
  rule(
    [hbone([{ podSelector: {} }])],
    plainToPod,
    ['deny', 'timeout', 0, 'cni-ingress', 'cni.default-deny'],
    '120 plain',
  ),
])
