import fc from 'fast-check'

/*
 * Test code: random calls in the clusters of arbitrary-waypoints.ts, with paths and headers that try to be taken for others.
 */

const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)

export interface RandomCall {
  /** `namespace/name` of a workload, or an address outside. */
  readonly from: string
  readonly to: { readonly service: string } | { readonly gateway: string } | { readonly workload: string }
  readonly port: number
  readonly request?: {
    readonly method: string
    readonly host: string
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
  }
}

const segment = oneOf(
  ...['a', 'a', 'a', 'b', 'b', 'c', 'A', '', '.', '..', '%2e', '%2E%2e', '.%2e', '...', 'a;x', 'a%2Fb', 'a%2fb'],
  ...['%61', '%41', 'a%5Cb', 'a[1]', 'a*', 'a{*}', 'a|b', 'a%7E', '%7e', 'a%20b', 'plain', 'empty'],
  ...['a^b', 'a"b', 'a`', 'a<b>', 'a=1', 'a*b', '%c3%a4', '%C3%A4', '%2e.;', '..;', 'a%2e'],
)
const path = fc
  .tuple(
    fc.array(fc.tuple(oneOf('/', '/', '/', '/', '/', '//', '\\'), segment), { minLength: 1, maxLength: 4 }),
    oneOf(...Array.from({ length: 16 }, () => ''), '/', '/', '?x=/b', '?x=../c', '#a', '?a#/b', '%00', ' '),
  )
  .map(([parts, end]) => `${parts.flat().join('')}${end}`.replace(/^[^/]+/, '') || '/')

/** Each is one of the others to somebody, and not to Envoy. */
const tricks = oneOf(
  ...['/a%2Fb', '/a%2fb', '/a/[x]', '/a/b*', '//a', '/a//b', '/a;x', '/./a', '/b/../a', '/a/%2e%2e/a', '/a\\b', '/A'],
  ...['/a/', '/%61', '/a?x=1', '/a#b', '/a/./b', '/a/b/..', '/a%5Cb', '/a/{*}', '/a%3Bx', '/a/%2E', '/a/b/../../a/b'],
)

const request = fc.record({
  method: oneOf('GET', 'GET', 'GET', 'GET', 'GET', 'POST', 'POST', 'PUT', 'DELETE', 'DELETE', 'get'),
  host: oneOf(
    'shop.example',
    'shop.example',
    'shop.example',
    'Shop.Example',
    'shop.example:80',
    'x.wild.example',
    'other',
  ),
  path: fc.oneof(
    { weight: 1, arbitrary: path },
    { weight: 1, arbitrary: tricks },
    {
      weight: 1,
      arbitrary: oneOf(
        '/',
        '/a',
        '/a',
        '/a/b',
        '/a/b',
        '/a/b/c',
        '/plain',
        '/empty/a',
        'a/b',
        'http://shop.example/a/b',
        'HTTP://other',
        'http://shop.example?x',
      ),
    },
  ),
  headers: oneOf<Record<string, string>>(
    {},
    {},
    { 'X-Role': 'admin' },
    { 'x-role': '' },
    { 'x-role': 'user', 'x-forwarded-proto': 'https', 'x-request-id': '1' },
    { 'x-forwarded-for': '10.0.7.9' },
    { 'X-Forwarded-For': '10.0.7.9, 203.0.113.9' },
    { 'x-forwarded-for': '10.0.7.9, unknown' },
    { 'x-role': 'admin', connection: 'keep-alive, X-Role' },
    { 'x-forwarded-client-cert': 'By=spiffe://cluster.local/ns/a/sa/web' },
  ),
})

const insiders = oneOf('a/api', 'a/api', 'a/api', 'b/api', 'b/api', 'b/api', 'b/api', 'c/api', 'a/plain')
const outsider = '203.0.113.7'

const toServices = oneOf(
  ...[80, 80, 9090, 3306].map((port) => ({ to: { service: 'a/web' }, port })),
  ...[80, 80, 80, 80].map((port) => ({ to: { service: 'a/web' }, port })),
  { to: { service: 'a/db' }, port: 5432 },
  { to: { service: 'a/db-each' }, port: 5432 },
  { to: { service: 'a/empty' }, port: 80 },
  { to: { service: 'a/plain' }, port: 80 },
  { to: { service: 'b/web' }, port: 80 },
)
const toPods = oneOf(
  { to: { workload: 'a/web' }, port: 8080 },
  { to: { workload: 'a/web' }, port: 9000 },
  { to: { workload: 'a/db' }, port: 5432 },
  { to: { workload: 'b/web' }, port: 8080 },
)

const byInsiders = fc
  .record({
    from: insiders,
    where: fc.oneof({ weight: 4, arbitrary: toServices }, { weight: 1, arbitrary: toPods }),
    request,
  })
  .map(({ from, where, request: asked }): RandomCall => ({ from, ...where, request: asked }))
const byOutsiders = fc.oneof(
  {
    weight: 5,
    arbitrary: request.map(
      (asked): RandomCall => ({ from: outsider, to: { gateway: 'a/gw' }, port: 80, request: asked }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(toPods, request)
      .map(([where, asked]): RandomCall => ({ from: outsider, ...where, request: asked })),
  },
)

const anyCall: fc.Arbitrary<RandomCall> = fc
  .oneof({ weight: 3, arbitrary: byInsiders }, { weight: 1, arbitrary: byOutsiders })
  .filter(({ from, to }) => !('service' in to && to.service === from))
export const call = fc.noBias(anyCall)

/** Of the Service a/web, from inside or by the gateway. */
export const callOfWeb: fc.Arbitrary<RandomCall> = fc.noBias(
  fc.tuple(oneOf('a/api', 'a/api', 'b/api', outsider), request).map(([from, asked]) => ({
    from,
    to: from === outsider ? { gateway: 'a/gw' } : { service: 'a/web' },
    port: 80,
    request: asked,
  })),
)
