import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests } from '../parse.js'
import { short } from '../testing.js'
import { checkReferences } from './references.js'

const NAMESPACE = '---\napiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n'
const object = (kind: string, name: string, rest = '', apiVersion = 'v1') =>
  `---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: ${name}, namespace: shop }\n${rest}\n`
const workload = (pod = '') =>
  object(
    'Deployment',
    'web',
    `spec:\n  selector: { matchLabels: { app: web } }\n  template:\n    metadata: { labels: { app: web, version: v1 } }\n    spec: { ${pod} containers: [{ name: c, image: i, ports: [{ name: http, containerPort: 80 }] }] }`,
    'apps/v1',
  )
const policy = (spec: string, kind = 'AuthorizationPolicy') =>
  object(kind, 'p', `spec: { ${spec} }`, 'security.istio.io/v1')
const account = object('ServiceAccount', 'web')

const waypoint = object(
  'Gateway',
  'wp',
  'spec: { gatewayClassName: istio-waypoint, listeners: [{ name: mesh, port: 15008, protocol: HBONE }] }',
  'gateway.networking.k8s.io/v1',
)
const behindWaypoint = (text: string, name = 'wp') =>
  text.replace('namespace: shop }', `namespace: shop, labels: { istio.io/use-waypoint: ${name} } }`)

function lint(...texts: string[]): string[] {
  const { resources, diagnostics } = parseManifests(texts.join(''), 'm.yaml')
  assert.deepEqual(diagnostics.map(short), [])
  return checkReferences(resources).map(
    ({ severity, code, message, at }) => `${severity} ${code} ${at.line} ${message}`,
  )
}

/** One warning of that code, and none when what it misses is there. */
function warns(code: string, broken: readonly string[], whole: readonly string[], message?: RegExp): void {
  const found = lint(...broken)
  assert.deepEqual(
    found.map((one) => one.split(' ').slice(0, 2).join(' ')),
    [`warning ${code}`],
    found.join('\n'),
  )
  if (message !== undefined) assert.match(found[0] ?? '', message)
  assert.deepEqual(lint(...whole), [])
}

test('a selector that selects nothing', () => {
  const service = (app: string) => object('Service', 's', `spec: { selector: { app: ${app} }, ports: [{ port: 80 }] }`)
  warns(
    'selector.selects-nothing',
    [workload(), service('wep')],
    [workload(), service('web')],
    /no pod in shop has app=wep; Deployment\/shop\/web comes close, with app=web$/,
  )
  const authz = (app: string) => policy(`selector: { matchLabels: { app: ${app} } }`)
  warns('selector.selects-nothing', [workload(), authz('x')], [workload(), authz('web')], /guards nobody/)
  const peer = (app: string) => policy(`selector: { matchLabels: { app: ${app} } }`, 'PeerAuthentication')
  warns('selector.selects-nothing', [workload(), peer('x')], [workload(), peer('web')])
  const net = (app: string) =>
    object('NetworkPolicy', 'np', `spec: { podSelector: { matchLabels: { app: ${app} } } }`, 'networking.k8s.io/v1')
  warns('selector.selects-nothing', [workload(), net('x')], [workload(), net('web')])
  // A pod of another namespace does not count, unless the policy is the whole mesh's.
  const elsewhere = authz('web').replace('namespace: shop', 'namespace: other')
  warns('selector.selects-nothing', [workload(), elsewhere], [workload(), elsewhere.replace('other', 'istio-system')])
})

test("a policy for a gateway's pods needs the Gateway", () => {
  const authz = policy('selector: { matchLabels: { gateway.networking.k8s.io/gateway-name: g } }')
  const listeners = 'spec: { gatewayClassName: istio, listeners: [{ name: http, port: 80, protocol: HTTP }] }'
  const gateway = object('Gateway', 'g', listeners, 'gateway.networking.k8s.io/v1')
  warns('selector.selects-nothing', [authz], [authz, gateway], /Gateway "g"/)
})

test('a selector in the root namespace is nothing to an ambient PeerAuthentication', () => {
  const peer = policy('selector: { matchLabels: { app: web } }', 'PeerAuthentication')
  warns('selector.ignored', [workload(), peer.replace('shop', 'istio-system')], [workload(), peer])
})

test('a reference to nothing', () => {
  const config = object('ConfigMap', 'c', 'data: { k: v }')
  const env = (key: string) =>
    workload().replace(
      'image: i,',
      `image: i, env: [{ name: A, valueFrom: { configMapKeyRef: { name: c, key: ${key} } } }],`,
    )
  warns(
    'reference.service-account',
    [workload('serviceAccountName: web,')],
    [workload('serviceAccountName: web,'), account],
    /no ServiceAccount "web" in shop/,
  )
  assert.deepEqual(lint(workload('serviceAccountName: default,')), [])
  warns('reference.config-map', [env('k')], [env('k'), config])
  warns('reference.key', [env('x'), config], [env('k'), config])
  const secretEnv = env('password').replace('configMapKeyRef', 'secretKeyRef')
  const secret = object('Secret', 'c', 'stringData: { username: u }')
  const generated = secret.replace('name: c,', 'name: c, annotations: { bulkhead.dev/generate: "token, password" },')
  warns('reference.key', [secretEnv, secret], [secretEnv, generated])
  const volume = (kind: string) => workload(`volumes: [{ name: v, ${kind} }],`)
  warns('reference.config-map', [volume('configMap: { name: c }')], [volume('configMap: { name: c }'), config])
  warns(
    'reference.secret',
    [volume('secret: { secretName: s }')],
    [volume('secret: { secretName: s }'), object('Secret', 's')],
  )
  warns(
    'reference.secret',
    [volume('projected: { sources: [{ secret: { name: s } }] }')],
    [volume('projected: { sources: [{ secret: { name: s, optional: true } }] }')],
  )
  const from = (name: string) =>
    workload().replace('image: i,', `image: i, envFrom: [{ secretRef: { name: ${name} } }],`)
  warns('reference.secret', [from('s')], [from('s'), object('Secret', 's')])
  const service = (port: string) =>
    object('Service', 's', `spec: { selector: { app: web }, ports: [{ port: 80, targetPort: ${port} }] }`)
  warns('reference.port', [workload(), service('htpp')], [workload(), service('http')])
  const target = policy('targetRefs: [{ kind: Service, name: s }]')
  const whole = [workload(), target, behindWaypoint(service('http')), waypoint]
  warns('reference.target', [workload(), target], whole, /targets the Service "s"/)
})

test('a kind of the same name in another group is another kind', () => {
  const target = policy('targetRefs: [{ kind: Service, name: s }]')
  const service = object('Service', 's', 'spec: { ports: [{ port: 80 }] }')
  const knative = object('Service', 's', 'spec: {}', 'serving.knative.dev/v1')
  const read = (...texts: string[]) => checkReferences(parseManifests(texts.join(''), 'm.yaml').resources).map(short)
  assert.deepEqual(read(target, knative), ['warning reference.target 5:22'])
  assert.deepEqual(read(target, behindWaypoint(service), waypoint, knative), [])
})

test('a GatewayClass is targeted from the root namespace only', () => {
  const target = policy('targetRefs: [{ kind: GatewayClass, group: gateway.networking.k8s.io, name: istio-waypoint }]')
  warns(
    'target.gateway-class',
    [target],
    [target.replace('namespace: shop', 'namespace: istio-system')],
    /istio-system/,
  )
})

test('a policy for a Service is enforced by its waypoint, and by nobody without one', () => {
  const service = object('Service', 's', 'spec: { ports: [{ port: 80 }] }')
  const target = policy('targetRefs: [{ kind: Service, group: "", name: s }]')
  const none = /targets the Service "s", and no waypoint is before it .* nobody enforces this policy/
  warns('target.no-waypoint', [target, service], [target, behindWaypoint(service), waypoint], none)
  warns(
    'target.no-waypoint',
    [target, behindWaypoint(service, 'none'), waypoint],
    [target, behindWaypoint(service), waypoint],
  )
  const headless = service.replace('spec: {', 'spec: { clusterIP: None,')
  warns('target.no-waypoint', [target, behindWaypoint(headless), waypoint], [headless], /headless/)
  // The namespace's label will do.
  const namespace = NAMESPACE.replace('name: shop }', 'name: shop, labels: { istio.io/use-waypoint: wp } }')
  assert.deepEqual(lint(namespace, target, service, waypoint), [])
})

test('a waypoint that is named and not there', () => {
  const service = object('Service', 's', 'spec: { ports: [{ port: 80 }] }')
  warns('reference.waypoint', [behindWaypoint(service)], [behindWaypoint(service), waypoint], /no Gateway "wp" in shop/)
  warns(
    'reference.waypoint',
    [behindWaypoint(service, 'wpp'), waypoint],
    [behindWaypoint(service, 'none')],
    /did you mean "wp"/,
  )
  const elsewhere = behindWaypoint(service).replace(
    'istio.io/use-waypoint: wp',
    'istio.io/use-waypoint: wp, istio.io/use-waypoint-namespace: infra',
  )
  warns('reference.waypoint', [elsewhere, waypoint], [service], /no Gateway "wp" in infra/)
})

test('of two PeerAuthentications at one level only one counts, and files do not say which', () => {
  const peer = (name: string, app?: string) =>
    policy(
      `${app === undefined ? '' : `selector: { matchLabels: { ${app} } }, `}mtls: { mode: STRICT }`,
      'PeerAuthentication',
    ).replace('name: p', `name: ${name}`)
  const one = 'policy.one-of-several'
  warns(one, [peer('a'), peer('b')], [peer('a')], /PeerAuthentication\/shop\/b: .*PeerAuthentication\/shop\/a/)
  warns(one, [peer('a'), peer('b')], [peer('a'), peer('b').replace('shop', 'istio-system')])
  warns(
    one,
    [workload(), peer('a', 'app: web'), peer('b', 'version: v1')],
    [workload(), peer('a', 'app: web'), peer('b')],
    /Deployment\/shop\/web/,
  )
})

test('an identity that nobody has', () => {
  const rule = (text: string) => policy(`rules: [{ from: [{ source: { ${text} } }] }]`)
  warns(
    'reference.service-account',
    [rule('principals: [cluster.local/ns/shop/sa/web]')],
    [rule('principals: [cluster.local/ns/shop/sa/web]'), account],
    /"cluster\.local\/ns\/shop\/sa\/web" is nobody here/,
  )
  warns('reference.service-account', [rule('notServiceAccounts: [web]')], [rule('notServiceAccounts: [web]'), account])
  warns(
    'reference.service-account',
    [rule('serviceAccounts: [other/web]'), account],
    [rule('serviceAccounts: [shop/web]'), account],
  )
  warns(
    'reference.namespace',
    [NAMESPACE, rule('namespaces: [shopp]')],
    [NAMESPACE, rule('namespaces: [shop, "sh*", kube-system]')],
  )
  assert.deepEqual(lint(rule('principals: ["*", "cluster.local/ns/shop/*"]')), [])
})

test('a namespace that is not defined, once for all that lies in it, and only when some are', () => {
  const elsewhere = account.replace('shop', 'demo')
  assert.deepEqual(lint(elsewhere), [])
  const found = lint(NAMESPACE, account, elsewhere, elsewhere.replace('name: web', 'name: b'))
  assert.equal(found.length, 1)
  assert.match(found[0] ?? '', /^warning reference\.namespace 13 ServiceAccount\/demo\/web: .*"demo", like 1 more/)
})
