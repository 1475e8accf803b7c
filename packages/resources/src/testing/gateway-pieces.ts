import { ANY_FIELDS, ANY_VALUES, type Pieces } from './pieces.js'

const FIELDS = [
  ...['gatewayClassName', 'listeners', 'name', 'port', 'protocol', 'hostname', 'tls', 'allowedRoutes', 'namespaces'],
  ...['from', 'to', 'selector', 'matchLabels', 'kinds', 'group', 'kind', 'namespace', 'addresses', 'infrastructure'],
  ...['parentRefs', 'sectionName', 'hostnames', 'rules', 'matches', 'path', 'type', 'value', 'headers', 'queryParams'],
  ...['method', 'filters', 'backendRefs', 'weight', 'timeouts', 'request', 'backendRequest', 'requestRedirect'],
  ...['urlRewrite', 'requestHeaderModifier', 'responseHeaderModifier', 'set', 'add', 'remove', 'requestMirror'],
  ...['replaceFullPath', 'replacePrefixMatch', 'statusCode', 'scheme', 'extensionRef', 'retry', 'sessionPersistence'],
  ...['controllerName', 'parametersRef', 'mode', 'certificateRefs', 'fraction', 'percent'],
]
const VALUES = [
  ...[
    'istio',
    'HTTP',
    'HTTPS',
    'TLS',
    'All',
    'Same',
    'Selector',
    'front',
    'web',
    'shop',
    'other',
    'Gateway',
    'Service',
  ],
  ...['*', '*.example', '*.*.example', 'a.example', 'A.EXAMPLE', 'a.example.', '1.2.3.4', 'xn--a', 'Exact'],
  ...['PathPrefix', 'RegularExpression', '/', '//', '/a/', '/a//b', '/%2f', '/a/../b', 'a', '/a?b', '/[0-9]+', 'GET'],
  ...[
    'get',
    'CONNECT',
    'host',
    'Host',
    ':authority',
    'x-a',
    '10s',
    '1h1m1s1ms',
    '0s',
    '-1s',
    '1.5s',
    '99999h',
    301,
    1e6,
  ],
  ...[
    'RequestRedirect',
    'URLRewrite',
    'RequestHeaderModifier',
    'ReplaceFullPath',
    'ReplacePrefixMatch',
    'gateway.networking.k8s.io',
  ],
]

const right: Readonly<Record<string, unknown>> = {
  Gateway: {
    gatewayClassName: 'istio',
    listeners: [
      {
        name: 'http',
        port: 80,
        protocol: 'HTTP',
        hostname: '*.example',
        allowedRoutes: { namespaces: { from: 'All' } },
      },
      {
        name: 'own',
        port: 8080,
        protocol: 'HTTP',
        allowedRoutes: {
          namespaces: { from: 'Selector', selector: { matchLabels: { team: 'a' } } },
          kinds: [{ kind: 'HTTPRoute' }],
        },
      },
    ],
    infrastructure: { labels: { a: 'b' } },
    addresses: [{ type: 'IPAddress', value: '10.0.0.1' }],
  },
  HTTPRoute: {
    parentRefs: [{ name: 'front', sectionName: 'http' }],
    hostnames: ['a.example', '*.b.example'],
    rules: [
      {
        matches: [
          {
            path: { type: 'PathPrefix', value: '/a' },
            headers: [{ name: 'x-a', value: '[0-9]+', type: 'RegularExpression' }],
            queryParams: [{ name: 'q', value: '1' }],
            method: 'GET',
          },
        ],
        filters: [
          {
            type: 'RequestHeaderModifier',
            requestHeaderModifier: { set: [{ name: 'x-b', value: 'c' }], remove: ['x-d'] },
          },
          { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/b' } } },
        ],
        backendRefs: [
          { name: 'web', port: 80, weight: 2 },
          { name: 'web', namespace: 'other', port: 80 },
        ],
        timeouts: { request: '10s', backendRequest: '1s500ms' },
      },
      {
        matches: [{ path: { type: 'Exact', value: '/old' } }],
        filters: [
          { type: 'RequestRedirect', requestRedirect: { scheme: 'https', hostname: 'a.example', statusCode: 301 } },
        ],
      },
      {
        matches: [{ path: { type: 'RegularExpression', value: '/v[0-9]+/.*' } }, { path: { value: '/' } }],
        backendRefs: [{ name: 'web', port: 80 }],
      },
    ],
  },
  ReferenceGrant: {
    from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'shop' }],
    to: [{ group: '', kind: 'Service', name: 'web' }],
  },
  GatewayClass: { controllerName: 'istio.io/gateway-controller' },
}

const metadata: Readonly<Record<string, object>> = {
  Gateway: { name: 'front', namespace: 'shop' },
  HTTPRoute: { name: 'route', namespace: 'shop' },
  ReferenceGrant: { name: 'grant', namespace: 'other' },
  GatewayClass: { name: 'istio' },
}

/** Gateway API's: an HTTPRoute `shop/route` of Gateway `shop/front` to Services `web` of `shop` and, by a grant, of `other`. */
export const gatewayPieces: Pieces = {
  words: { fields: [...FIELDS, ...ANY_FIELDS], values: [...ANY_VALUES, ...VALUES] },
  // Routes have the most to be got wrong.
  kinds: ['HTTPRoute', 'HTTPRoute', 'HTTPRoute', 'Gateway', 'Gateway', 'ReferenceGrant', 'GatewayClass'],
  right: (kind) => right[kind],
  manifest: ({ kind, spec }) => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind,
    metadata: metadata[kind] ?? { name: 'x' },
    spec,
  }),
}
