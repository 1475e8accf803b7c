import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import { judge } from '../flow/judge.js'
import { closestSentence, en } from '../messages/en.js'
import { compile } from '../model/compile.js'
import { reasonCodes } from '../reasons.js'
import {
  ambient,
  authorizationPolicy,
  ciliumPolicy,
  gateway,
  httpRoute,
  networkPolicy,
  peerAuthentication,
  service,
  workload,
} from '../testing/objects.js'
import { dst, onDst, plain, src, srcPrincipal, verdict } from '../testing/scene.js'
import { renderVerdict, symptomSentence } from './text.js'

const nothing = authorizationPolicy('app/allow-nothing', {}, { layer: '50-identity', file: 'k8s/allow-nothing.yaml' })
const srcOnly = authorizationPolicy(
  'app/dst',
  {
    selector: onDst,
    rules: [
      { from: [{ source: { principals: [srcPrincipal, '*/sa/friend'] } }], to: [{ operation: { ports: ['8080'] } }] },
    ],
  },
  { layer: '50-identity', file: 'k8s/dst.yaml' },
)
const strict = peerAuthentication(
  'app/default',
  { mtls: { mode: 'STRICT' } },
  { layer: '40-mtls', file: 'k8s/mtls.yaml' },
)

test('a denied flow, as the terminal shows it', () => {
  assert.equal(
    renderVerdict(verdict([nothing, srcOnly, strict], plain)),
    `plain/src → app/dst:8080/TCP   DENIED by 40-mtls (ztunnel)
  cni-egress     allowed     no network policy isolates plain/src for egress
  cni-ingress    allowed     no network policy isolates app/dst for ingress
  ztunnel mtls   DENIED      PeerAuthentication/app/default says STRICT, and this is a caller without an identity (10.244.1.5)  k8s/mtls.yaml:9
  ztunnel authz  would deny  ALLOW policies select app/dst, and no rule of theirs lists a caller without an identity (10.244.1.5) on port 8080
                             isolated by AuthorizationPolicy/app/allow-nothing (k8s/allow-nothing.yaml:7)
                                     and AuthorizationPolicy/app/dst (k8s/dst.yaml:11)
                             nearly: rule 0 of AuthorizationPolicy/app/dst (k8s/dst.yaml:12) wants principal ${srcPrincipal} or */sa/friend, the caller has none
  would also be stopped by 50-identity (ztunnel authz)
what plain/src sees: a connection that opened and was closed without a byte (curl 35 or 52 or 56)
`,
  )
})

test('an allowed flow ends with an answer', () => {
  const lines = renderVerdict(verdict([srcOnly], src)).split('\n')
  assert.equal(lines[0], 'app/src → app/dst:8080/TCP   ALLOWED')
  assert.match(
    lines[4] ?? '',
    /^ {2}ztunnel authz {2}allowed {2}rule 0 of AuthorizationPolicy\/app\/dst allows .* k8s\/dst\.yaml:12$/,
  )
  assert.equal(lines.at(-2), 'what app/src sees: an answer of the application (curl 0)')
})

test('what ends a connection and is no wall is not called a denial', () => {
  const text = renderVerdict(verdict([], src, dst, 4444))
  assert.match(
    text,
    /^app\/src → app\/dst:4444\/TCP {3}NOT REACHED: app\/dst is not known to listen on port 4444 \(it has .*8080\/TCP/,
  )
  assert.match(text, /\n {2}destination +STOPS /)
  // It is no second wall either.
  const denied = renderVerdict(verdict([nothing], src, dst, 4444))
  assert.match(denied, /\n {2}destination +would stop /)
  assert.doesNotMatch(denied, /would also be stopped by/)
  assert.match(renderVerdict(verdict([], src, dst, 8080, { certificate: 'none' })), /DENIED by the mesh \(HBONE\)/)
})

const layer = '70-ingress'
const door = [
  ambient('app'),
  workload('app/dst', { ports: [{ containerPort: 8080 }] }),
  service('app/dst', { port: 80, targetPort: 8080 }),
  gateway('app/gw', {}, { layer, file: 'k8s/gateway.yaml' }),
  httpRoute(
    'app/r',
    'gw',
    { hostnames: ['shop.example'], rules: [{ backendRefs: [{ name: 'dst', port: 80 }] }] },
    { layer, file: 'k8s/route.yaml' },
  ),
  authorizationPolicy(
    'app/door',
    {
      targetRefs: [{ kind: 'Gateway', group: 'gateway.networking.k8s.io', name: 'gw' }],
      rules: [{ to: [{ operation: { methods: ['GET'], hosts: ['*.example'] } }] }],
    },
    { layer, file: 'k8s/door.yaml' },
  ),
]

function throughTheDoor(method: string, host: string, ...more: readonly Resource[]): string {
  const http = { method, path: '/buy', host }
  const flow = { from: { external: '172.18.0.1' }, to: { service: 'app/gw-istio' }, port: 80, http }
  return renderVerdict(judge(flow, compile([...door, ...more])))
}

test('a request from outside that is denied at the gateway: by which rule, and what stands behind', () => {
  const closed = authorizationPolicy(
    'app/dst',
    { selector: onDst, rules: [{ from: [{ source: { principals: [srcPrincipal] } }] }] },
    { layer: '50-identity', file: 'k8s/dst.yaml' },
  )
  assert.equal(
    throughTheDoor('DELETE', 'shop.example', closed),
    `172.18.0.1 → app/gw-istio:80/TCP   DENIED by 70-ingress (gateway)
  cni-ingress    allowed     no network policy isolates app/gw-istio for ingress
  gateway authz  DENIED      ALLOW policies select Gateway/app/gw, and no rule of theirs allows DELETE /buy from 172.18.0.1 on port 80
                             isolated by AuthorizationPolicy/app/door (k8s/door.yaml:13)
                             nearly: rule 0 of AuthorizationPolicy/app/door (k8s/door.yaml:14) wants method GET, the request is a DELETE
  gateway route  allowed     rule 0 of HTTPRoute/app/r sends DELETE /buy to app/dst:80  k8s/route.yaml:14
  app/gw-istio → app/dst:15008/TCP, as cluster.local/ns/app/sa/gw-istio
  cni-egress     allowed     no network policy isolates app/gw-istio for egress
  cni-ingress    allowed     no network policy isolates app/dst for ingress
  ztunnel mtls   allowed     no PeerAuthentication speaks for app/dst: PERMISSIVE by default
  ztunnel authz  would deny  ALLOW policies select app/dst, and no rule of theirs lists cluster.local/ns/app/sa/gw-istio on port 8080
                             isolated by AuthorizationPolicy/app/dst (k8s/dst.yaml:11)
                             nearly: rule 0 of AuthorizationPolicy/app/dst (k8s/dst.yaml:12) wants principal ${srcPrincipal}, the caller is cluster.local/ns/app/sa/gw-istio
  would also be stopped by 50-identity (ztunnel authz)
what 172.18.0.1 sees: 403 RBAC: access denied (curl 0 or 22)
`,
  )
  // The 503 of the same closed door, when the request itself is allowed.
  assert.match(
    throughTheDoor('GET', 'shop.example', closed),
    /^.* {3}DENIED by 50-identity \(ztunnel, behind the gateway\)\n/,
  )
  assert.match(
    throughTheDoor('GET', 'shop.example', closed),
    /what 172\.18\.0\.1 sees: 503: the gateway or waypoint could not reach the service/,
  )
  assert.match(
    throughTheDoor('GET', 'shop.example'),
    /ALLOWED\n(.*\n)*what 172\.18\.0\.1 sees: an answer of the application/,
  )
})

test('a host that no route has: the hosts that there are; no wall, so nothing else is said to stop it', () => {
  assert.equal(
    throughTheDoor('GET', 'stop.example'),
    `172.18.0.1 → app/gw-istio:80/TCP   NOT FOUND (404): no route of Gateway/app/gw answers for the host stop.example (it has shop.example)
  cni-ingress    allowed  no network policy isolates app/gw-istio for ingress
  gateway authz  allowed  rule 0 of AuthorizationPolicy/app/door allows GET /buy from 172.18.0.1 on port 80   k8s/door.yaml:14
  gateway route  STOPS    no route of Gateway/app/gw answers for the host stop.example (it has shop.example)  k8s/gateway.yaml:10
what 172.18.0.1 sees: 404 without a body: no route (curl 0 or 22)
`,
  )
  const both = throughTheDoor('PUT', 'stop.example')
  assert.match(both, /gateway route {2}would stop/)
  assert.doesNotMatch(both, /would also be stopped by/)
})

test('every reason has a sentence, and no other has one', () => {
  assert.deepEqual(Object.keys(en).sort(), [...reasonCodes].sort())
})

test('the closest rule says what it wants and what the call has, of every kind of attribute', () => {
  const closest = (lacks: Parameters<typeof closestSentence>[0]['lacks']): string =>
    closestSentence({ policy: 'AuthorizationPolicy/a/p', rule: 1, at: 'f:3', lacks })
  const start = 'rule 1 of AuthorizationPolicy/a/p (f:3) '
  assert.equal(closest([{ attribute: 'ports', wants: ['80'], has: '81' }]), `${start}wants port 80, the call is to 81`)
  assert.equal(
    closest([
      { attribute: 'notNamespaces', wants: ['b'], has: 'b' },
      { attribute: 'when source.ip not', wants: ['10.0.0.0/8'], has: '10.1.1.1' },
    ]),
    `${start}wants namespace other than b, the caller's is b, and wants an address in other than 10.0.0.0/8, the caller's is 10.1.1.1`,
  )
  assert.equal(
    closest([{ attribute: 'methods', wants: [], has: 'ztunnel does not read HTTP, so it leaves the rule out' }]),
    `${start}has methods: ztunnel does not read HTTP, so it leaves the rule out`,
  )
  const http: readonly [attribute: string, wants: string, has: string, says: string][] = [
    ['methods', 'GET', 'PUT', 'wants method GET, the request is a PUT'],
    ['paths', '/a', '/b', "wants path /a, the request's is /b"],
    ['notHosts', 'a.example', 'a.example', 'wants host other than a.example, the request is to a.example'],
    ['hosts', '*', 'no host', 'wants host *, there is no host'],
    ['when request.headers[x-a]', '1', '2', 'wants header x-a 1, it is 2'],
    ['when request.headers[x-a]', '1', 'no such header', 'wants header x-a 1, there is no such header'],
    ['remoteIpBlocks', '10.0.0.0/8', '192.0.2.1', 'wants a client in 10.0.0.0/8, it is 192.0.2.1'],
    ['when connection.sni', '*', 'no TLS', 'wants connection.sni *, there is no TLS'],
    [
      'requestPrincipals',
      '*',
      'no token that was checked',
      'wants requestPrincipals *, there is no token that was checked',
    ],
    ['trustDomains', 'x', 'no identity', 'wants trust domain x, the caller has none'],
    ['paths', '/a', `/${'b'.repeat(300)}`, `wants path /a, the request's is /${'b'.repeat(196)}...`],
  ]
  for (const [attribute, wants, has, says] of http)
    assert.equal(closest([{ attribute, wants: [wants], has }]), start + says)
})

test('a symptom names what curl says', () => {
  assert.equal(symptomSentence('timeout'), 'nothing: the connect timed out (curl 28)')
  assert.equal(symptomSentence('admission-refused'), 'the API server refused the object')
})

const network = (key: string, spec: object, layer = '20-network'): Resource =>
  networkPolicy(key, spec, { layer, file: `k8s/${key.split('/')[1]}.yaml` })
const onlySrc = [{ podSelector: { matchLabels: { app: 'src' } } }]

test('a default deny of the network: every layer that isolates, the closest rule, and why an app’s port is none of the mesh’s', () => {
  const closed = network('app/closed', { podSelector: {}, policyTypes: ['Ingress'] })
  const appPort = network('app/app-port', { podSelector: onDst, ingress: [{ from: onlySrc, ports: [{ port: 8080 }] }] })
  const cilium = ciliumPolicy('app/more', { endpointSelector: onDst, ingress: [{}] }, { layer: '30-cilium' })
  assert.equal(
    renderVerdict(verdict([closed, appPort, cilium], src)),
    `app/src → app/dst:8080/TCP   DENIED by 20-network and 30-cilium (cni-ingress)
  cni-egress     allowed  no network policy isolates app/src for egress
  cni-ingress    DENIED   policies isolate app/dst, and no rule lets app/src in on 15008/TCP
                          isolated by CiliumNetworkPolicy/app/more (more.yaml:11)
                                  and NetworkPolicy/app/app-port (k8s/app-port.yaml:11)
                                  and NetworkPolicy/app/closed (k8s/closed.yaml:9)
                          nearly: rule 0 of NetworkPolicy/app/app-port (k8s/app-port.yaml:12) wants port 8080/TCP, this is 15008/TCP
                          note: mesh traffic arrives on 15008, whichever port is asked for: a rule for 8080/TCP alone lets none of it in or out
  ztunnel mtls   allowed  no PeerAuthentication speaks for app/dst: PERMISSIVE by default
  ztunnel authz  allowed  no ALLOW policy selects app/dst: allowed by default
what app/src sees: a connection that opened, waited for the mesh to give up, and was closed (curl 35 or 52 or 56)
`,
  )
})

test('an allow at 15008 says once that it carries every port', () => {
  const hbone = [{ port: 15008 }]
  const both = [
    network('app/in', { podSelector: onDst, ingress: [{ from: onlySrc, ports: hbone }] }),
    network('app/out', {
      podSelector: { matchLabels: { app: 'src' } },
      policyTypes: ['Egress'],
      egress: [{ to: [{ podSelector: onDst }], ports: hbone }],
    }),
  ]
  const lines = renderVerdict(verdict(both, src)).split('\n')
  assert.match(
    lines[1] ?? '',
    /lets app\/src out to app\/dst on 15008\/TCP, which carries every port {2}k8s\/out\.yaml:\d+$/,
  )
  assert.match(
    lines[2] ?? '',
    /^ +note: the mesh sends everything to 15008: which port .* for AuthorizationPolicy to say$/,
  )
  assert.match(lines[3] ?? '', /lets app\/src in to app\/dst on 15008\/TCP, which carries every port/)
  assert.equal(lines.filter((line) => line.includes('note:')).length, 1)
  // To a pod that is not in the mesh a port is only itself.
  const plainPort = network('app/in', {
    podSelector: { matchLabels: { app: 'uncaptured' } },
    ingress: [{ ports: [{ port: 8080 }] }],
  })
  const other = renderVerdict(verdict([plainPort], src, { workload: 'app/uncaptured' }))
  assert.match(other, /lets app\/src in to app\/uncaptured on 8080\/TCP/)
  assert.doesNotMatch(other, /note:|carries/)
})

test('what the network says of names and requests names them', () => {
  const peers = { toEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system' } }] }
  const dns = { ...peers, toPorts: [{ ports: [{ port: '53' }], rules: { dns: [{ matchName: 'one.example' }] } }] }
  const tls = {
    toFQDNs: [{ matchName: 'one.example' }],
    toPorts: [{ ports: [{ port: '443', protocol: 'TCP' as const }], serverNames: ['a.example', 'b.example'] }],
  }
  const out = ciliumPolicy('app/out', { egress: [dns, tls] }, { layer: '30-cilium' })
  const said = (host: string): string => renderVerdict(verdict([out], src, { host }, 443))
  assert.match(
    said('two.example'),
    /DENIED by 30-cilium \(cni-egress, asking for two\.example\)\n {2}cni-egress dns {3}DENIED/,
  )
  assert.match(
    said('two.example'),
    /lets app\/src ask kube-system\/coredns only for one\.example, and this is two\.example/,
  )
  assert.match(said('one.example'), /DENIED by 30-cilium \(cni-egress, server name one\.example\)/)
  assert.match(
    said('one.example'),
    /rule 1 of CiliumNetworkPolicy\/app\/out lets app\/src out to one\.example on 443\/TCP only with the server name a\.example, b\.example, and this one names one\.example/,
  )
  const no = ciliumPolicy('no', { egressDeny: [{ toCIDR: ['192.0.2.0/24'] }] })
  assert.match(
    renderVerdict(verdict([no], src, { ip: '192.0.2.9' }, 80)),
    /DENIED by CiliumClusterwideNetworkPolicy\/no \(cni-egress\)\n.*rule 0 of CiliumClusterwideNetworkPolicy\/no denies app\/src the way out to 192\.0\.2\.9 on 80\/TCP/,
  )
})

test('nearly is a rule for this very port, before one that opens every port to quite another peer', () => {
  const probes = network('app/a-probes', { ingress: [{ from: [{ ipBlock: { cidr: '169.254.7.127/32' } }] }] })
  const other = [{ podSelector: { matchLabels: { app: 'other' } } }]
  const door = network('app/door', { podSelector: onDst, ingress: [{ from: other, ports: [{ port: 15008 }] }] })
  const nearly = (...policies: readonly Resource[]): string =>
    /nearly: rule 0 of (\S+)/.exec(renderVerdict(verdict(policies, src)))?.[1] ?? 'none'
  assert.equal(nearly(probes, door), 'NetworkPolicy/app/door')
  assert.equal(nearly(probes), 'NetworkPolicy/app/a-probes')
})
