import type { Gateway, HttpRouteMatch, Resource } from '@bulkhead/resources'
import fc from 'fast-check'
import type { HttpRequest } from '../routes/types.js'
import { gateway, grant, type Rule, route } from './routes.js'

/*
 * Test code: random Gateways, routes and requests out of few names, so that they meet. A hostname under
 * `nowhere.test` is in no request.
 */

const names = ['a.x', 'b.x', 'c.a.x', 'x', '*.x', '*.a.x', '*.b.x']
const hosts = ['a.x', 'b.x', 'c.a.x', 'x', 'd.c.a.x', 'y', '', 'A.X:80', 'b.x.']
const paths = ['/', '/a', '/a/', '/a/b', '/ab', '/a/b/c', '/b', '/b/1']

/** There once in four times: what narrows must leave something over. */
const optional = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ arbitrary: fc.constant(undefined), weight: 3 }, { arbitrary: one, weight: 1 })

const mostly = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ arbitrary: fc.constant(undefined), weight: 1 }, { arbitrary: one, weight: 5 })

/** Without the fields that are undefined, as objects from files are. */
function written<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}

type Listener = Gateway['spec']['listeners'][number]
type Namespaces = NonNullable<NonNullable<Listener['allowedRoutes']>['namespaces']>

const namespaces = fc.constantFrom<Namespaces | undefined>(
  undefined,
  { from: 'Same' },
  { from: 'All' },
  { from: 'All' },
  { from: 'Selector', selector: { matchLabels: { team: 'x' } } },
)

const listener = fc
  .record({ port: fc.constantFrom(80, 80, 8080), hostname: optional(fc.constantFrom(...names)), namespaces })
  .map((one) =>
    written<Partial<Listener>>({
      port: one.port,
      hostname: one.hostname,
      allowedRoutes: one.namespaces === undefined ? undefined : { namespaces: one.namespaces },
    }),
  )

const front = fc
  .uniqueArray(listener, {
    minLength: 1,
    maxLength: 4,
    selector: ({ port, hostname }) => `${port} ${hostname ?? ''}`,
  })
  .map((listeners) =>
    gateway(
      'shop/front',
      listeners.map((one, index) => ({ name: `l${index}`, ...one })),
    ),
  )

const parentRef = fc
  .record({
    sectionName: optional(fc.constantFrom('l0', 'l1', 'l2')),
    port: optional(fc.constantFrom(80, 8080)),
    name: fc.constantFrom('front', 'front', 'front', 'other'),
  })
  .map(({ name, ...rest }) => ({ namespace: 'shop', name, ...written<{ sectionName?: string; port?: number }>(rest) }))

const path = fc.oneof(
  fc.record({ type: fc.constant('Exact' as const), value: fc.constantFrom(...paths) }),
  fc.record({ type: fc.constant('PathPrefix' as const), value: fc.constantFrom(...paths) }),
  fc.record({
    type: fc.constant('RegularExpression' as const),
    value: fc.constantFrom('.*', '/a/.*', '/b/[0-9]+', '/a|/b', 'a'),
  }),
)
const named = (...of: string[]) =>
  fc.uniqueArray(fc.record({ name: fc.constantFrom(...of), value: fc.constantFrom('1', '2') }), {
    minLength: 1,
    maxLength: 2,
    selector: ({ name }) => name,
  })

const match = fc
  .record({
    path: mostly(path),
    method: optional(fc.constantFrom('GET', 'POST')),
    headers: optional(named('X-One', 'x-two')),
    queryParams: optional(named('p', 'q')),
  })
  .map((fields) => written<HttpRouteMatch>(fields))

const backendRef = fc
  .record({
    name: fc.constantFrom('a', 'a', 'b', 'missing'),
    namespace: fc.constantFrom('shop', undefined, undefined, 'other'),
    port: fc.constantFrom(80, 80, 80, 81),
    weight: optional(fc.constantFrom(0, 1, 5)),
  })
  .map((fields) => written<NonNullable<Rule['backendRefs']>[number]>(fields))

const rule = fc
  .record({
    matches: mostly(fc.array(match, { minLength: 1, maxLength: 3 })),
    backendRefs: fc.array(backendRef, { minLength: 1, maxLength: 3 }),
  })
  .map((fields) => written<Rule>(fields))

const routes = fc
  .uniqueArray(
    fc.record({
      key: fc.constantFrom('shop/a', 'shop/b', 'shop/c', 'shop/d', 'shop-a/z', 'other/a', 'other/b'),
      parentRefs: fc.array(parentRef, { minLength: 1, maxLength: 2 }),
      hostnames: optional(fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 3 })),
      rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
      created: optional(fc.constantFrom('2024-01-01T00:00:00Z', '2025-01-01T00:00:00Z')),
    }),
    { minLength: 1, maxLength: 6, selector: ({ key }) => key },
  )
  .map((list) =>
    list.map(({ key, parentRefs, hostnames, rules, created }) =>
      route(key, { parentRefs, rules, ...(hostnames && { hostnames }) }, created === undefined ? {} : { created }),
    ),
  )

const grants = fc
  .uniqueArray(
    fc.record({
      at: fc.constantFrom('shop', 'other'),
      from: fc.constantFrom('shop', 'other', 'shop-a'),
      name: optional(fc.constantFrom('a', 'b')),
    }),
    { maxLength: 2, selector: ({ at }) => at },
  )
  .map((list) =>
    list.map(({ at, from, name }) =>
      grant(`${at}/g`, {
        from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: from }],
        to: [{ group: '', kind: 'Service', ...(name !== undefined && { name }) }],
      }),
    ),
  )

/** One Gateway, shop/front, and what may belong to it. */
export const routing: fc.Arbitrary<readonly Resource[]> = fc
  .tuple(front, routes, grants)
  .map(([one, all, permitted]) => [one, ...all, ...permitted])

export const anyRequest: fc.Arbitrary<HttpRequest & { readonly port: number }> = fc
  .record({
    method: fc.constantFrom('GET', 'POST', 'PUT'),
    host: fc.constantFrom(...hosts),
    path: fc.tuple(fc.constantFrom(...paths), fc.constantFrom('', '?p=1', '?q=2&p=2', '?p=1&q=1&p=2')),
    headers: fc.record({ 'x-one': optional(fc.constantFrom('1', '2')), 'x-two': optional(fc.constantFrom('1', '2')) }),
    port: fc.constantFrom(80, 80, 8080),
  })
  .map(({ path: parts, headers, ...rest }) => ({
    ...rest,
    path: parts.join(''),
    headers: written<Record<string, string>>(headers),
  }))

/** A route for hosts that no request has. */
export const elsewhere: fc.Arbitrary<Resource> = fc
  .record({
    rules: fc.array(rule, { minLength: 1, maxLength: 2 }),
    parentRefs: fc.array(parentRef, { minLength: 1, maxLength: 1 }),
  })
  .map(({ rules, parentRefs }) =>
    route('shop/elsewhere', { hostnames: ['*.nowhere.test', 'nowhere.test'], rules, parentRefs }),
  )
