import { type Flow, outsideAddress } from '@bulkhead/verdict'

/** A flow that has to work whatever is on, and why it has to. */
export interface Legitimate {
  readonly why: string
  readonly flow: Flow
  /** Layers that bring one of its ends. */
  readonly needs?: readonly string[]
  /** A door that is in the wall itself: it is shut where the one is on and the other is not. */
  readonly shut?: { readonly on: string; readonly off: string }
}

const external = { external: outsideAddress }
const get = (host: string, path = '/'): Pick<Flow, 'http'> => ({ http: { method: 'GET', path, host } })
const ingress = ['70-ingress']
const requests = ['60-requests']

function question(workload: string, query: string, protocol: 'UDP' | 'TCP' = 'UDP'): Flow {
  return { from: { workload }, to: { service: 'kube-system/kube-dns' }, port: 53, protocol, dns: { query } }
}

function call(workload: string, service: string, port: number, more: Partial<Flow> = {}): Flow {
  return { from: { workload }, to: { service }, port, ...more }
}

/** All that is meant to work, but for the kubelet's probes, which the manifests themselves list. */
export const legitimateFlows: readonly Legitimate[] = [
  ...['GET', 'HEAD'].map((method) => ({
    why: 'sleep is the caller that may',
    flow: call('shop/sleep', 'shop/web-api', 8080, { http: { method, path: '/', host: 'web-api:8080' } }),
  })),
  { why: 'the chain', flow: call('shop/web-api', 'shop/recommendation', 8080, get('recommendation:8080')) },
  {
    why: 'the chain',
    flow: call('shop/recommendation', 'shop/purchase-history', 8080, get('purchase-history:8080')),
  },
  { why: 'what the page reads', flow: call('demo/hello-app', 'demo/postgres', 5432) },
  {
    why: 'where users, strategies and intents are kept',
    flow: call('gthulhu/gthulhu-manager', 'gthulhu/gthulhu-mongodb', 27017),
  },
  {
    why: 'which pods and nodes there are',
    flow: call('gthulhu/gthulhu-manager', 'default/kubernetes', 443),
  },
  {
    why: 'a scheduler says which intents it has',
    flow: call('gthulhu-node/gthulhu-scheduler', 'gthulhu/gthulhu-manager', 8080, {
      http: { method: 'PUT', path: '/api/v1/schedulers/bulkhead-worker', host: 'gthulhu-manager.gthulhu:8080' },
    }),
  },
  {
    why: "a node's intents, by the address of its scheduler",
    flow: {
      from: { workload: 'gthulhu/gthulhu-manager' },
      to: { workload: 'gthulhu-node/gthulhu-scheduler' },
      port: 8080,
      http: { method: 'PUT', path: '/api/v1/intents', host: '10.244.1.9:8080' },
    },
  },
  ...[
    { method: 'GET', path: '/' },
    { method: 'POST', path: '/v1/manifests' },
  ].map((request) => ({
    why: 'curl-test asks for manifests, at the port of the Service',
    flow: call('manifest-gen/curl-test', 'manifest-gen/manifest-gen', 80, {
      http: { ...request, host: 'manifest-gen' },
    }),
  })),
  {
    why: 'measurements, in plain text and for anybody to read: a datagram has no identity',
    flow: call('shop/sleep', 'sandbox/collector', 9125, { protocol: 'UDP' }),
  },

  {
    why: "the shop's page, from outside",
    flow: { from: external, to: { service: 'shop/shop-gateway-istio' }, port: 80, ...get('istioexplained.io') },
    needs: ingress,
  },
  {
    why: "the shop's page, by the port of any node",
    flow: { from: external, to: { node: 'bulkhead-worker' }, port: 30080, ...get('istioexplained.io') },
    needs: ingress,
  },
  ...['/', '/health', '/api/status'].map((path) => ({
    why: "the demo's page, what it is made of and its health, from outside",
    flow: { from: external, to: { service: 'demo/hello-gateway-istio' }, port: 80, ...get('hello.example', path) },
    needs: ingress,
  })),
  {
    why: "the demo's page, by the port of any node",
    flow: { from: external, to: { node: 'bulkhead-worker2' }, port: 30081, ...get('hello.example') },
    needs: ingress,
  },
  ...[
    '/',
    '/assets/3f2a91/main.js',
    '/health',
    '/version',
    '/openapi.json',
    '/swagger/index.html',
    '/api/v1/users/self',
    '/api/v1/schedulers',
  ].map((path) => ({
    why: "the manager's page, its API and its description, from outside",
    flow: { from: external, to: { service: 'gthulhu/gthulhu-gw-istio' }, port: 80, ...get('manager.example', path) },
    needs: ingress,
  })),
  ...['POST', 'PUT', 'DELETE'].map((method) => ({
    why: 'what the API is told to change, from outside',
    flow: {
      from: external,
      to: { service: 'gthulhu/gthulhu-gw-istio' },
      port: 80,
      http: { method, path: '/api/v1/strategies', host: 'manager.example' },
    },
    needs: ingress,
  })),
  {
    why: "the manager's API, by the port of any node",
    flow: { from: external, to: { node: 'bulkhead-worker' }, port: 30450, ...get('manager.example', '/health') },
    needs: ingress,
  },
  {
    why: 'what is behind the door',
    flow: call('shop/shop-gateway-istio', 'shop/web-api', 8080, get('istioexplained.io')),
    needs: ingress,
  },
  {
    why: 'what is behind the door',
    flow: call('demo/hello-gateway-istio', 'demo/hello-app', 8000, get('hello.example')),
    needs: ingress,
  },
  {
    why: 'what is behind the door',
    flow: call('gthulhu/gthulhu-gw-istio', 'gthulhu/gthulhu-manager', 8080, get('manager.example', '/health')),
    needs: ingress,
  },

  ...[
    { proxies: ['shop/shop-gateway-istio', 'demo/hello-gateway-istio', 'gthulhu/gthulhu-gw-istio'], needs: ingress },
    { proxies: ['shop/waypoint', 'gthulhu/waypoint'], needs: requests },
  ].flatMap(({ proxies, needs }) =>
    proxies.flatMap((proxy) => [
      {
        why: 'its configuration and its certificate',
        flow: { from: { workload: proxy }, to: { workload: 'istio-system/istiod' }, port: 15012 },
        needs,
      },
      {
        why: "istiod's name: no ztunnel answers for the proxy of a gateway or a waypoint",
        flow: question(proxy, 'istiod.istio-system.svc.cluster.local'),
        needs,
      },
    ]),
  ),
  ...['shop/outsider', 'sandbox/outsider'].map((outsider) => ({
    why: "a Service's name: no ztunnel answers for a pod out of the mesh",
    flow: question(outsider, 'web-api.shop.svc.cluster.local'),
  })),
  {
    why: 'an answer that does not fit into a datagram',
    flow: question('shop/outsider', 'web-api.shop.svc.cluster.local', 'TCP'),
  },
  ...[
    'shop/sleep',
    'demo/test-pod',
    'gthulhu/intruder',
    'gthulhu-node/intruder',
    'manifest-gen/intruder',
    'sandbox/collector',
  ].map((pod) => ({
    why: "a name that is no Service's: ztunnel passes the question on, from the pod's own address",
    flow: question(pod, 'api.github.com'),
  })),
  ...['api.github.com', 'api.cloudflare.com'].map((query) => ({
    why: 'what the page asks for',
    flow: question('demo/hello-app', query),
    shut: { on: '20-network', off: '30-cilium' },
  })),
  {
    why: 'what the page asks of GitHub',
    flow: { from: { workload: 'demo/hello-app' }, to: { host: 'api.github.com' }, port: 443 },
    shut: { on: '20-network', off: '30-cilium' },
  },
]

/**
 * Of all workloads, from each to each by its own address, at every port that it has: all that is open when every layer is
 * on. What is behind a waypoint is open to the waypoint alone.
 */
export const openPairs: readonly string[] = [
  'demo/hello-app -> demo/postgres:5432/TCP',
  'demo/hello-gateway-istio -> demo/hello-app:8000/TCP',
  'gthulhu/gthulhu-manager -> gthulhu-node/gthulhu-scheduler:8080/TCP',
  'gthulhu/gthulhu-manager -> gthulhu/gthulhu-mongodb:27017/TCP',
  'gthulhu/waypoint -> gthulhu/gthulhu-manager:8080/TCP',
  'manifest-gen/curl-test -> manifest-gen/manifest-gen:8080/TCP',
  'shop/sleep -> sandbox/collector:9125/UDP',
  'shop/waypoint -> shop/purchase-history-v1:8080/TCP',
  'shop/waypoint -> shop/recommendation:8080/TCP',
  'shop/waypoint -> shop/web-api:8080/TCP',
]

/** What is tried at each Service that speaks HTTP. */
export const triedRequests: readonly string[] = [
  'GET /',
  'HEAD /',
  'DELETE /',
  'GET /metrics',
  'GET /livez',
  'GET /api/v1/users',
  'POST /api/v1/auth/login',
  'PATCH /api/v1/users',
  'PUT /api/v1/schedulers/bulkhead-worker',
  'PUT /api/v1/schedulers/bulkhead-worker/more',
  'GET /api/v1/schedulers/bulkhead-worker',
  'PUT /api/v1/intents',
]

/** Of all workloads, from each to every Service by its name: the requests, or the connections, that are let through. */
export const openServices: readonly string[] = [
  'demo/hello-app -> demo/postgres:5432/TCP',
  ...triedRequests.map((request) => `demo/hello-gateway-istio -> demo/hello-app:8000/TCP ${request}`),
  'gthulhu-node/gthulhu-scheduler -> gthulhu/gthulhu-manager:8080/TCP PUT /api/v1/schedulers/bulkhead-worker',
  ...['GET /', 'HEAD /', 'GET /api/v1/users', 'POST /api/v1/auth/login', 'PUT /api/v1/intents'].map(
    (request) => `gthulhu/gthulhu-gw-istio -> gthulhu/gthulhu-manager:8080/TCP ${request}`,
  ),
  'gthulhu/gthulhu-manager -> gthulhu/gthulhu-mongodb:27017/TCP',
  ...triedRequests.map(
    (request) => `gthulhu/gthulhu-manager -> gthulhu-node/gthulhu-scheduler-sidecar:8080/TCP ${request}`,
  ),
  ...triedRequests.map((request) => `manifest-gen/curl-test -> manifest-gen/manifest-gen:80/TCP ${request}`),
  'shop/sleep -> sandbox/collector:9125/UDP',
  ...['shop/sleep -> shop/web-api', 'shop/shop-gateway-istio -> shop/web-api'].flatMap((way) =>
    [
      'GET /',
      'HEAD /',
      'GET /metrics',
      'GET /livez',
      'GET /api/v1/users',
      'GET /api/v1/schedulers/bulkhead-worker',
    ].map((request) => `${way}:8080/TCP ${request}`),
  ),
  ...['shop/web-api -> shop/recommendation', 'shop/recommendation -> shop/purchase-history'].flatMap((way) =>
    ['GET /', 'GET /metrics', 'GET /livez', 'GET /api/v1/users', 'GET /api/v1/schedulers/bulkhead-worker'].map(
      (request) => `${way}:8080/TCP ${request}`,
    ),
  ),
]

/** A waypoint reads no policy of itself: what it asks of a Service behind it, whose callers it has judged, nobody stops. */
export const behindWaypoints: readonly string[] = [
  'gthulhu/waypoint -> gthulhu/gthulhu-manager',
  'shop/waypoint -> shop/purchase-history',
  'shop/waypoint -> shop/recommendation',
  'shop/waypoint -> shop/web-api',
].flatMap((way) => triedRequests.map((request) => `${way}:8080/TCP ${request}`))

/** Of the pairs of pods, those whose packets the network lets through: what 50-identity would not have to stop any more. */
export const openPackets: readonly string[] = [
  'demo/hello-app -> demo/postgres:15008/TCP',
  'demo/hello-gateway-istio -> demo/hello-app:15008/TCP',
  'gthulhu-node/gthulhu-scheduler -> gthulhu/gthulhu-manager:15008/TCP',
  'gthulhu-node/gthulhu-scheduler -> gthulhu/waypoint:15008/TCP',
  'gthulhu/gthulhu-gw-istio -> gthulhu/gthulhu-manager:15008/TCP',
  'gthulhu/gthulhu-gw-istio -> gthulhu/waypoint:15008/TCP',
  'gthulhu/gthulhu-manager -> gthulhu-node/gthulhu-scheduler:15008/TCP',
  'gthulhu/gthulhu-manager -> gthulhu/gthulhu-mongodb:15008/TCP',
  'gthulhu/waypoint -> gthulhu/gthulhu-manager:15008/TCP',
  'manifest-gen/curl-test -> manifest-gen/manifest-gen:15008/TCP',
  'shop/recommendation -> shop/purchase-history-v1:15008/TCP',
  'shop/recommendation -> shop/waypoint:15008/TCP',
  'shop/shop-gateway-istio -> shop/waypoint:15008/TCP',
  'shop/shop-gateway-istio -> shop/web-api:15008/TCP',
  'shop/sleep -> sandbox/collector:9125/UDP',
  'shop/sleep -> shop/waypoint:15008/TCP',
  'shop/sleep -> shop/web-api:15008/TCP',
  'shop/waypoint -> shop/purchase-history-v1:15008/TCP',
  'shop/waypoint -> shop/recommendation:15008/TCP',
  'shop/waypoint -> shop/web-api:15008/TCP',
  'shop/web-api -> shop/recommendation:15008/TCP',
  'shop/web-api -> shop/waypoint:15008/TCP',
]
