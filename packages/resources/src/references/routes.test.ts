import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests } from '../parse.js'
import { short } from '../testing.js'
import { checkReferences } from './references.js'

const api = 'gateway.networking.k8s.io/v1'
const object = (kind: string, name: string, spec: string, apiVersion = api, namespace = 'shop') =>
  `---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec: { ${spec} }\n`
const gateway = (listener = '', more = '') =>
  object(
    'Gateway',
    'front',
    `gatewayClassName: istio, listeners: [{ name: http, port: 80, protocol: HTTP${listener} }]${more}`,
  )
const service = object('Service', 'web', 'ports: [{ port: 80, targetPort: 8080 }]', 'v1')
const route = (parent: string, rest = '') => object('HTTPRoute', 'r', `parentRefs: [{ ${parent} }]${rest}`)
const backend = (ref: string) => route('name: front', `, rules: [{ backendRefs: [{ ${ref} }] }]`)
const from = (kind: string, namespace = 'shop') =>
  `from: [{ group: gateway.networking.k8s.io, kind: ${kind}, namespace: ${namespace} }]`

function lint(...texts: string[]): string[] {
  const { resources, diagnostics } = parseManifests(texts.join(''), 'm.yaml')
  assert.deepEqual(diagnostics.map(short), [])
  return checkReferences(resources).map(({ severity, code, message }) => `${severity} ${code} ${message}`)
}

/** One warning of that code, and none when what it misses is there. */
function warns(code: string, broken: readonly string[], whole: readonly string[], message: RegExp): void {
  const found = lint(...broken)
  assert.deepEqual(
    found.map((one) => one.split(' ').slice(0, 2).join(' ')),
    [`warning ${code}`],
    found.join('\n'),
  )
  assert.match(found[0] ?? '', message)
  assert.deepEqual(lint(...whole), [])
}

test('a parent that is not there', () => {
  warns(
    'reference.gateway',
    [gateway(), route('name: frnt')],
    [gateway(), route('name: front')],
    /no Gateway "frnt" in shop; did you mean "front"\?/,
  )
  warns(
    'reference.gateway',
    [gateway(), route('name: front, namespace: other')],
    [gateway(), route('name: front, namespace: shop')],
    /no Gateway "front" in other/,
  )
  const none = object('HTTPRoute', 'r', 'hostnames: [a.example]')
  warns('route.no-parent', [none], [], /routes nothing/)
  // Istio's own kind of that name is another one.
  const istio = object('Gateway', 'front', 'servers: []', 'networking.istio.io/v1')
  assert.match(
    checkReferences(parseManifests(istio + route('name: front'), 'm.yaml').resources)
      .map(short)
      .join(),
    /reference\.gateway/,
  )
})

test('a listener that is not there', () => {
  warns(
    'reference.listener',
    [gateway(), route('name: front, sectionName: htp')],
    [gateway(), route('name: front, sectionName: http')],
    /Gateway\/shop\/front has no listener "htp"; did you mean "http"\?/,
  )
  warns(
    'reference.listener',
    [gateway(), route('name: front, sectionName: other-one')],
    [gateway(), route('name: front, sectionName: http, port: 80')],
    /has no listener "other-one"; it has http/,
  )
  warns(
    'reference.listener',
    [gateway(), route('name: front, port: 8080')],
    [gateway(), route('name: front, port: 80')],
    /has no listener at port 8080; it has 80/,
  )
  warns(
    'reference.listener',
    [gateway(), route('name: front, sectionName: http, port: 8080')],
    [gateway(), route('name: front, sectionName: http, port: 80')],
    /its listener "http" is not at port 8080; it has 80/,
  )
})

test('a listener that does not let the route in', () => {
  const elsewhere = route('name: front, namespace: shop').replace('r, namespace: shop', 'r, namespace: other')
  const namespaces = (text: string) => gateway(`, allowedRoutes: { namespaces: { ${text} } }`)
  const not = /lets a route of the namespace other in/
  warns('route.not-allowed', [gateway(), elsewhere], [namespaces('from: All'), elsewhere], not)
  const labelled = (team: string) =>
    `---\napiVersion: v1\nkind: Namespace\nmetadata: { name: other, labels: { team: ${team} } }\n`
  const shop = '---\napiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n'
  const select = namespaces('from: Selector, selector: { matchLabels: { team: a } }')
  warns('route.not-allowed', [select, elsewhere, shop, labelled('b')], [select, elsewhere, shop, labelled('a')], not)
  const byName = namespaces('from: Selector, selector: { matchLabels: { kubernetes.io/metadata.name: other } }')
  assert.deepEqual(lint(byName, elsewhere), [])
  warns(
    'route.not-allowed',
    [gateway(', allowedRoutes: { kinds: [{ kind: GRPCRoute }] }'), route('name: front')],
    [gateway(', allowedRoutes: { kinds: [{ kind: HTTPRoute }] }'), route('name: front')],
    /takes an HTTPRoute/,
  )
})

test('a hostname that no listener has', () => {
  const hosts = (...names: string[]) => route('name: front', `, hostnames: [${names.join(', ')}]`)
  warns(
    'route.hostname',
    [gateway(', hostname: "*.example"'), hosts('a.example', 'example')],
    [gateway(', hostname: "*.example"'), hosts('a.example', 'b.a.example')],
    /answers for "example"; they have \*\.example/,
  )
  assert.deepEqual(lint(gateway(), hosts('a.example')), [])
  // With a parent missing nobody knows which hosts it has.
  const two = object('HTTPRoute', 'r', 'parentRefs: [{ name: front }, { name: gone }], hostnames: [example]')
  warns('reference.gateway', [gateway(', hostname: "*.example"'), two], [gateway(), route('name: front')], /"gone"/)
})

test('a backend that cannot be used', () => {
  warns(
    'reference.service',
    [gateway(), service, backend('name: wep, port: 80')],
    [gateway(), service, backend('name: web, port: 80')],
    /no Service "wep" in shop, so requests .* answered 500; did you mean "web"\?/,
  )
  warns(
    'reference.port',
    [gateway(), service, backend('name: web, port: 8080')],
    [gateway(), service, backend('name: web, port: 80')],
    /no port 8080, .*; 8080 is the pods' port, and the Service's is 80/,
  )
  warns(
    'reference.port',
    [gateway(), service, backend('name: web, port: 81')],
    [gateway(), service, backend('name: web, port: 80')],
    /no port 81, .*; it has 80/,
  )
  const udp = service.replace('port: 80,', 'port: 80, protocol: UDP,')
  warns(
    'reference.port',
    [gateway(), udp, backend('name: web, port: 80')],
    [gateway(), service, backend('name: web, port: 80')],
    /no port 80, .*; it has none/,
  )
  warns(
    'reference.backend-kind',
    [gateway(), backend('name: web, kind: Bucket, group: example.org')],
    [gateway()],
    /a Bucket is no backend/,
  )
})

test("a backend of another namespace needs that namespace's grant", () => {
  const other = service.replace('namespace: shop', 'namespace: other')
  const far = backend('name: web, namespace: other, port: 80')
  const grant = (spec: string, namespace = 'other') => object('ReferenceGrant', 'g', spec, `${api}beta1`, namespace)
  const to = 'to: [{ group: "", kind: Service }]'
  const broken = [
    [],
    [grant(`${from('HTTPRoute')}, ${to}`, 'shop')],
    [grant(`${from('HTTPRoute', 'demo')}, ${to}`)],
    [grant(`${from('GRPCRoute')}, ${to}`)],
    [grant(`${from('HTTPRoute')}, to: [{ group: "", kind: Secret }]`)],
    [grant(`${from('HTTPRoute')}, to: [{ group: "", kind: Service, name: other }]`), other.replace('web', 'other')],
  ]
  const named = grant(`${from('HTTPRoute')}, to: [{ group: "", kind: Service, name: web }]`)
  for (const objects of broken) {
    warns(
      'reference.grant',
      [gateway(), other, far, ...objects],
      [gateway(), other, far, ...objects.map((one) => one.replace('name: g,', 'name: h,')), named],
      /other has no ReferenceGrant that lets an HTTPRoute of shop refer to the Service "web"/,
    )
  }
  warns(
    'reference.service',
    [grant(`${from('HTTPRoute')}, to: [{ group: "", kind: Service, name: wep }]`), other],
    [named, other],
    /no Service "wep" in other; did you mean "web"\?/,
  )
})

test('what a Gateway names', () => {
  const classed = (name: string) => gateway().replace('gatewayClassName: istio', `gatewayClassName: ${name}`)
  warns('reference.gateway-class', [classed('istoi')], [classed('istio-waypoint')], /"istoi".*; did you mean "istio"\?/)
  const own = `---\napiVersion: ${api}\nkind: GatewayClass\nmetadata: { name: mine }\nspec: { controllerName: example.org/mine }\n`
  assert.deepEqual(lint(classed('mine'), own), [])
  const parameters = gateway('', ', infrastructure: { parametersRef: { group: "", kind: ConfigMap, name: front } }')
  const config = '---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: front, namespace: shop }\n'
  warns('reference.config-map', [parameters], [parameters, config], /no ConfigMap "front" in shop/)
  const namespaces = (text: string) => gateway(`, allowedRoutes: { namespaces: { ${text} } }`)
  const labels = 'selector: { matchLabels: { a: b } }'
  warns(
    'selector.missing',
    [namespaces('from: Selector')],
    [namespaces(`from: Selector, ${labels}`)],
    /every namespace/,
  )
  warns('selector.ignored', [namespaces(labels)], [namespaces(`from: Selector, ${labels}`)], /ignored/)
})

test('a policy for a Gateway that is not there', () => {
  const policy = object(
    'AuthorizationPolicy',
    'p',
    'targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: front }]',
    'security.istio.io/v1',
  )
  warns('reference.target', [policy], [policy, gateway()], /targets the Gateway "front", and there is none in shop/)
})
