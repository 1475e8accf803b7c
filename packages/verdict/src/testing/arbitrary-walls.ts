import type { AuthorizationPolicy, CiliumRule, PeerAuthentication, Resource } from '@bulkhead/resources'
import fc from 'fast-check'
import { ruleOver } from './arbitrary-requests.js'
import * as make from './objects.js'

/*
 * Test code: random policies for the clusters of arbitrary-waypoints.ts: AuthorizationPolicies, most of them on a Service or
 * a waypoint, a PeerAuthentication, and NetworkPolicies in between.
 */

const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)

const blocks = ['10.244.0.0/16', '10.0.7.9', '10.96.0.0/12', '203.0.113.0/24', '0.0.0.0/0']
const principals = [
  'cluster.local/ns/a/sa/web',
  'cluster.local/ns/b/sa/api',
  'cluster.local/ns/a/sa/wp',
  'cluster.local/ns/a/sa/gw-istio',
  'mesh.example/ns/b/sa/api',
  '*/sa/api',
  'cluster.local/*',
  '*',
]
const accounts = ['a/web', 'web', 'wp', 'b/api', 'a/gw-istio', 'b/wp']
const ports = ['80', '8080', '9090', '5432', '15008', 'http']
const values: Readonly<Record<string, readonly string[]>> = {
  principals,
  namespaces: ['a', 'a*', '*', 'b'],
  serviceAccounts: accounts,
  trustDomains: ['cluster.local', 'mesh.example', '*'],
  ipBlocks: blocks,
  remoteIpBlocks: blocks,
  requestPrincipals: ['issuer/*', '*'],
  ports,
  hosts: ['shop.example', 'SHOP.example', '*.example', 'shop.*', '*', 'shop.example:*'],
  methods: ['GET', 'P*', '*', 'get', '*T', 'DELETE'],
  paths: [
    ...['/a', '/a*', '*/c', '*', '/A', '/a/b', '/a/', '/a;x', '/a%2Fb', '//a', '/a/b/c', '/a[1]'],
    ...['/a/{*}', '/{**}', '/a/{*}/c', '/a/{**}', '/{*}/b', '/{*}/{**}', '/a/{**}/c'],
  ],
  'request.headers[X-Role]': ['admin', 'adm*', '*min', '*'],
  'request.headers[x-forwarded-for]': ['*', '10.0.7.9*'],
  'request.headers[x-forwarded-proto]': ['http', 'https', '*'],
  'request.headers[x-forwarded-client-cert]': ['*'],
  'request.headers[:path]': ['/a', '/a*', '/a/b', '*/b', '/'],
  'request.headers[:method]': ['GET', 'P*'],
  'request.headers[Host]': ['shop.example', 'shop.*', '*'],
  'request.headers[:authority]': ['shop.example', '*.example'],
  'request.headers[x-request-id]': ['*'],
  'source.ip': blocks,
  'remote.ip': blocks,
  'source.principal': principals,
  'source.namespace': ['a', '*', 'b'],
  'source.serviceAccount': accounts,
  'destination.ip': ['10.96.0.0/12', '10.244.0.0/16'],
  'destination.port': ports,
  'connection.sni': ['*', 'shop.example'],
  'request.auth.principal': ['*'],
  'request.auth.claims[iss]': ['x'],
}

const often = ['[X-Role]', '[X-Role]', '[:path]', '[:path]', '[:path]'].map((name) => `request.headers${name}`)
const rule = ruleOver(values, 1, often)

const group = 'gateway.networking.k8s.io'
const onService = (name: string): object => ({ targetRefs: [{ group: '', kind: 'Service', name }] })
const onWaypoint = { targetRefs: [{ group, kind: 'Gateway', name: 'wp' }] }
const attachment = oneOf<object>(
  ...Array.from({ length: 12 }, () => onService('web')),
  onService('db'),
  onService('db'),
  onService('plain'),
  ...Array.from({ length: 10 }, () => onWaypoint),
  { targetRefs: [{ group, kind: 'GatewayClass', name: 'istio-waypoint' }] },
  { targetRefs: [{ group, kind: 'GatewayClass', name: 'istio' }] },
  ...Array.from({ length: 4 }, () => ({ targetRefs: [{ group, kind: 'Gateway', name: 'gw' }] })),
  { targetRefs: [{ group: '', kind: 'Service', name: 'other' }, ...onWaypoint.targetRefs] },
  ...Array.from({ length: 3 }, () => ({ selector: { matchLabels: { app: 'web' } } })),
  { selector: { matchLabels: { app: 'db' } } },
  { selector: { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'wp' } } },
  {},
)

type Spec = NonNullable<AuthorizationPolicy['spec']>

export interface RandomAttached {
  readonly namespace: string
  readonly dryRun: boolean
  readonly spec: Spec
}

/** Without `undefined` in it, as YAML has it. */
const written = <T>(value: unknown): T => JSON.parse(JSON.stringify(value)) as T

const authorization: fc.Arbitrary<RandomAttached> = fc
  .record({
    namespace: oneOf(...Array.from({ length: 9 }, () => 'a'), 'b', 'b', 'istio-system'),
    dryRun: oneOf(...Array.from({ length: 11 }, () => false), true),
    action: oneOf('ALLOW', 'ALLOW', 'ALLOW', 'ALLOW', 'DENY', 'DENY', 'AUDIT', 'CUSTOM', undefined),
    attachment,
    rules: fc.option(fc.array(rule, { minLength: 1, maxLength: 2 }), { nil: undefined, freq: 12 }),
  })
  .map(({ namespace, dryRun, action, attachment: where, rules }) => ({
    namespace,
    dryRun,
    spec: written<Spec>({ action, ...where, rules }),
  }))

type PeerSpec = NonNullable<PeerAuthentication['spec']>
const peers = oneOf<PeerSpec | undefined>(
  undefined,
  undefined,
  undefined,
  undefined,
  { mtls: { mode: 'STRICT' } },
  { mtls: { mode: 'PERMISSIVE' } },
)

const ofWaypoint = { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'wp' } }
const hbone = [{ port: 15008 }]
type NetworkSpec = Parameters<typeof make.networkPolicy>[1]
const network = oneOf<NetworkSpec>(
  {},
  { ingress: [{ ports: hbone }] },
  { podSelector: { matchLabels: { app: 'web' } }, ingress: [{ from: [{ podSelector: ofWaypoint }], ports: hbone }] },
  { podSelector: { matchLabels: { app: 'web' } }, ingress: [{ from: [{ podSelector: {} }], ports: hbone }] },
  {
    podSelector: ofWaypoint,
    ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'blue' } } }], ports: hbone }],
  },
  { podSelector: ofWaypoint, policyTypes: ['Egress'], egress: [{ ports: hbone }] },
  {
    podSelector: ofWaypoint,
    policyTypes: ['Egress'],
    egress: [{ to: [{ podSelector: { matchLabels: { app: 'db' } } }] }],
  },
  { podSelector: { matchLabels: { app: 'api' } }, policyTypes: ['Egress'], egress: [{ ports: [{ port: 8080 }] }] },
  {
    podSelector: { matchLabels: { app: 'api' } },
    policyTypes: ['Egress'],
    egress: [{ to: [{ podSelector: ofWaypoint }] }],
  },
)

/** What Cilium reads of requests it reads where they are plain: on the way to who is not captured. */
const reading = oneOf('/a.*', '/', '/a/b', '.*').map(
  (path): CiliumRule => ({
    endpointSelector: { matchLabels: { app: 'plain' } },
    ingress: [
      { fromEntities: ['all'], toPorts: [{ ports: [{ port: '8080', protocol: 'TCP' }], rules: { http: [{ path }] } }] },
    ],
  }),
)

export interface RandomWalls {
  readonly authorizations: readonly RandomAttached[]
  readonly networks: readonly { readonly namespace: string; readonly spec: NetworkSpec }[]
  readonly reading: CiliumRule | undefined
  readonly peers: PeerSpec | undefined
}

const anyWalls: fc.Arbitrary<RandomWalls> = fc.record({
  authorizations: fc.array(authorization, { minLength: 1, maxLength: 4 }),
  networks: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.array(fc.record({ namespace: oneOf('a', 'a', 'b'), spec: network }), {
        minLength: 1,
        maxLength: 2,
      }),
    },
  ),
  reading: oneOf(true, false).chain((is) => (is ? reading : fc.constant(undefined))),
  peers,
})
export const walls = fc.noBias(anyWalls)

/** A rule that asks about one thing, or about two of one kind. */
const narrowRule = fc.tuple(rule, fc.nat({ max: 2 })).map(([{ from, to, when }, first]) => {
  const clauses = [{ from }, { to }, { when }].filter((clause) => Object.values(clause).some((list) => list))
  return clauses[first % Math.max(1, clauses.length)] ?? {}
})

/** Policies of the Service a/web and of the waypoint before it, and nothing else. */
export const wallsOfRequests: fc.Arbitrary<RandomWalls> = fc.noBias(
  fc
    .array(
      fc.record({
        action: oneOf('ALLOW', 'ALLOW', 'ALLOW', 'DENY', 'DENY', 'AUDIT', 'CUSTOM'),
        where: oneOf(onService('web'), onWaypoint),
        rules: fc.array(narrowRule, { minLength: 1, maxLength: 2 }),
      }),
      { minLength: 1, maxLength: 2 },
    )
    .map((policies) => ({
      authorizations: policies.map(({ action, where, rules }) => ({
        namespace: 'a',
        dryRun: false,
        spec: written<Spec>({ action, ...where, rules }),
      })),
      networks: [],
      reading: undefined,
      peers: undefined,
    })),
)

export function networkResources({ networks, reading: rule }: RandomWalls): Resource[] {
  return [
    ...networks.map(({ namespace, spec }, index) => make.networkPolicy(`${namespace}/n${index}`, spec)),
    ...(rule === undefined ? [] : [make.ciliumPolicy('a/reading', rule)]),
  ]
}

export function meshResources({ authorizations, peers: spec }: RandomWalls): Resource[] {
  return [
    ...authorizations.map(({ namespace, dryRun, spec: one }, index) =>
      make.authorizationPolicy(`${namespace}/p${index}`, one, {
        ...(dryRun && { annotations: { 'istio.io/dry-run': 'true' } }),
      }),
    ),
    ...(spec === undefined ? [] : [make.peerAuthentication('istio-system/all', spec)]),
  ]
}
