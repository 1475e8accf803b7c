import type { Gateway, HttpRoute, ReferenceGrant, Resource } from '@bulkhead/resources'
import { compileRoutes, type RouteIndex } from '../routes/compile.js'
import { routeRequest } from '../routes/route.js'
import type { HttpRequest, RouteDecision } from '../routes/types.js'
import type { ServiceModel } from '../types.js'
import { type MakeOptions, resource } from './objects.js'

/*
 * Test code: Gateways and routes as objects, and the question that a test asks of them. Names are `namespace/name`.
 */

const apiVersion = 'gateway.networking.k8s.io/v1'

function meta(key: string, rest: object = {}): { namespace: string; name: string } {
  const [namespace = '', name = ''] = key.split('/')
  return { namespace, name, ...rest }
}

type Listener = Gateway['spec']['listeners'][number]

/** Without listeners: one, named `http`, for every host on port 80. */
export function gateway(key: string, listeners: readonly Partial<Listener>[] = [{}], rest: MakeOptions = {}): Resource {
  const filled = listeners.map((one, index) => ({
    name: index === 0 ? 'http' : `http-${index}`,
    port: 80,
    protocol: 'HTTP',
    ...one,
  }))
  const spec = { gatewayClassName: 'istio', listeners: filled }
  return resource({ apiVersion, kind: 'Gateway', metadata: meta(key), spec } satisfies Gateway, rest)
}

export type RouteSpec = HttpRoute['spec']
export type Rule = NonNullable<RouteSpec['rules']>[number]

export interface RouteOptions extends MakeOptions {
  readonly created?: string
}

/** Attached to shop/front, unless the spec says where. */
export function route(key: string, spec: RouteSpec, { created, ...rest }: RouteOptions = {}): Resource {
  return resource(
    {
      apiVersion,
      kind: 'HTTPRoute',
      metadata: meta(key, created === undefined ? {} : { creationTimestamp: created }),
      spec: { parentRefs: [{ name: 'front', namespace: 'shop' }], ...spec },
    } satisfies HttpRoute,
    rest,
  )
}

/** A rule that sends what it takes to the Service of that name, port 80. */
export function to(name: string, rest: Rule = {}): Rule {
  return { backendRefs: [{ name, port: 80 }], ...rest }
}

export function grant(key: string, spec: ReferenceGrant['spec']): Resource {
  return resource({ apiVersion, kind: 'ReferenceGrant', metadata: meta(key), spec } satisfies ReferenceGrant)
}

/** `a` to `z` of shop, and `other/a`, all with port 80. */
export const services: ReadonlyMap<string, ServiceModel> = new Map(
  [...Array.from({ length: 26 }, (_, i) => `shop/${String.fromCharCode(97 + i)}`), 'other/a'].map((key) => [
    key,
    {
      key,
      ...meta(key),
      clusterIP: '10.96.0.77',
      ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }],
      external: false,
      endpoints: [],
    },
  ]),
)

export function index(
  resources: readonly Resource[],
  namespaceLabels: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
): RouteIndex {
  return compileRoutes({ resources, services, namespaceLabels: new Map(Object.entries(namespaceLabels)) })
}

/** `GET /` of every host, but for what is said. */
export function request(rest: Partial<HttpRequest> = {}): HttpRequest {
  return { method: 'GET', host: 'shop.example', path: '/', headers: {}, ...rest }
}

/** What shop/front does with it, at port 80. */
export function ask(resources: readonly Resource[], rest: Partial<HttpRequest> = {}, port = 80): RouteDecision {
  return routeRequest(index(resources), 'shop/front', port, request(rest))
}

/** In a word: the name of the heaviest Service, the redirect's location, the status, or `unknown`. */
export function answer(decision: RouteDecision): string {
  switch (decision.kind) {
    case 'forward':
      return decision.backends
        .reduce((most, one) => (one.weight > most.weight ? one : most))
        .service.replace(/^shop\//, '')
    case 'redirect':
      return `${decision.status} ${decision.location}`
    case 'respond':
      return String(decision.status)
    case 'unknown':
      return 'unknown'
  }
}
