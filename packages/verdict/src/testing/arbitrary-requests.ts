import type { AuthorizationPolicy } from '@bulkhead/resources'
import fc from 'fast-check'
import type { NaiveRequest } from './naive-gateway.js'

/*
 * Test code: random policies for a gateway, and requests of it. Small worlds, so that they often meet.
 */

type Spec = NonNullable<AuthorizationPolicy['spec']>

const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const some = <T>(...values: readonly T[]): fc.Arbitrary<T[]> =>
  fc.array(oneOf(...values), { minLength: 1, maxLength: 2 })

const blocks = ['10.0.0.0/16', '10.0.7.9', '192.168.0.0/16', '0.0.0.0/0']
const principals = ['cluster.local/ns/a/sa/web', '*/sa/web', 'cluster.local/*', '*']
const accounts = ['a/web', 'web', 'b/web']
const ports = ['80', '8080', 'http']

type Values = Readonly<Record<string, readonly string[]>>

const values: Values = {
  principals,
  namespaces: ['a', 'a*', '*', 'b'],
  serviceAccounts: accounts,
  trustDomains: ['cluster.local', '*'],
  ipBlocks: blocks,
  remoteIpBlocks: blocks,
  requestPrincipals: ['issuer/*', '*'],
  ports,
  hosts: ['shop.example', 'SHOP.example', '*.example', 'shop.*', '*', 'shop.example:*'],
  methods: ['GET', 'P*', '*', 'get', '*T'],
  paths: ['/a', '/a*', '*/c', '*', '/a/{*}', '/{**}', '/a/{*}/c', '/a/{**}/c', '/A'],
  'request.headers[X-Role]': ['admin', 'adm*', '*min', '*'],
  'request.headers[x-other]': ['1', '*'],
  'source.ip': blocks,
  'remote.ip': blocks,
  'source.principal': principals,
  'source.namespace': ['a', '*'],
  'source.serviceAccount': accounts,
  'destination.ip': ['10.0.9.9', '10.1.0.0/16'],
  'destination.port': ports,
  'connection.sni': ['*', 'shop.example'],
  'request.auth.principal': ['*'],
  'request.auth.claims[iss]': ['x'],
}

const not = (name: string): string => `not${name.slice(0, 1).toUpperCase()}${name.slice(1)}`

const seldom = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 2 })

interface RandomRule {
  readonly from?: readonly object[] | undefined
  readonly to?: readonly object[] | undefined
  readonly when?: readonly object[] | undefined
}

/**
 * Rules that ask for these values, by the name of the field or of the key. With `least` 0 there are clauses and entries
 * that ask for nothing, which istiod does not take and Envoy's rules could hold. The keys that come up more than others
 * are said by `often`.
 */
export function ruleOver(
  values: Values,
  least: 0 | 1 = 0,
  often: readonly string[] = ['request.headers[X-Role]', 'request.headers[X-Role]'],
): fc.Arbitrary<RandomRule> {
  /** At most two of those fields and their negations, twice as often as they are. */
  function entry(...names: readonly string[]): fc.Arbitrary<object> {
    const field = oneOf(...names.flatMap((name) => [name, name, not(name)]))
    const read = (name: string): readonly string[] =>
      values[name] ?? values[name.slice(3, 4).toLowerCase() + name.slice(4)] ?? []
    const filled = fc.array(
      field.chain((name) => some(...read(name)).map((list) => [name, list] as const)),
      { minLength: least, maxLength: 2 },
    )
    return filled.map((pairs) => Object.fromEntries(pairs))
  }

  const source = entry(
    'principals',
    'namespaces',
    'serviceAccounts',
    'trustDomains',
    'ipBlocks',
    'ipBlocks',
    'remoteIpBlocks',
    'requestPrincipals',
  )
  const operation = entry('ports', 'hosts', 'methods', 'paths', 'hosts', 'methods', 'paths')
  const keys = Object.keys(values).filter((name) => name.includes('.'))
  const condition = oneOf(...keys, ...often).chain((key) => {
    const list = some(...(values[key] ?? []))
    return fc.tuple(list, list, oneOf('values', 'values', 'notValues', 'both')).map(([yes, no, which]) => ({
      key,
      ...(which !== 'notValues' && { values: yes }),
      ...(which !== 'values' && { notValues: no }),
    }))
  })
  return fc.record({
    from: seldom(
      fc.array(
        source.map((value) => ({ source: value })),
        { minLength: least, maxLength: 2 },
      ),
    ),
    to: seldom(
      fc.array(
        operation.map((value) => ({ operation: value })),
        { minLength: least, maxLength: 2 },
      ),
    ),
    when: seldom(fc.array(condition, { minLength: least, maxLength: 2 })),
  })
}

export const rule = ruleOver(values)

const onGateway = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'gw' }
const attachment = oneOf<object>(
  {},
  {},
  { targetRefs: [onGateway] },
  { targetRefs: [onGateway] },
  { targetRefs: [{ ...onGateway, name: 'other' }] },
  { targetRefs: [{ group: '', kind: 'Service', name: 'gw' }] },
  { selector: { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'gw' } } },
  { selector: { matchLabels: { app: 'web' } } },
)

export interface RandomGatewayPolicy {
  readonly namespace: string
  readonly dryRun: boolean
  readonly spec: Spec
}

export const gatewayPolicy: fc.Arbitrary<RandomGatewayPolicy> = fc
  .record({
    namespace: oneOf('a', 'a', 'a', 'a', 'b', 'istio-system'),
    dryRun: oneOf(false, false, false, false, false, false, true),
    action: oneOf('ALLOW', 'ALLOW', 'ALLOW', 'DENY', 'DENY', 'AUDIT', 'CUSTOM', undefined),
    attachment,
    rules: fc.option(fc.array(rule, { minLength: 1, maxLength: 3 }), { nil: undefined, freq: 6 }),
  })
  .map(({ namespace, dryRun, action, attachment: where, rules }) => ({
    namespace,
    dryRun,
    // Without `undefined` in it, as YAML has it.
    spec: JSON.parse(JSON.stringify({ action, ...where, rules })) as Spec,
  }))

export const request: fc.Arbitrary<NaiveRequest> = fc.record({
  method: oneOf('GET', 'GET', 'POST', 'PUT', 'get'),
  host: oneOf('shop.example', 'Shop.Example', 'shop.example:8080', 'other', ''),
  path: oneOf('/a', '/a?x=/b', '/a/b', '/a/b/c', '/a/c', '/', '/A', '/b/../a', '/%61/b', '/a/', '/a//c'),
  headers: oneOf<Record<string, string>>(
    {},
    { 'x-role': 'admin' },
    { 'x-role': '' },
    { 'x-role': 'user', 'x-other': '1' },
  ),
  ip: oneOf('10.0.0.1', '10.0.7.9', '192.168.4.4', '203.0.113.7'),
  port: oneOf(80, 8080),
  principal: oneOf(null, null, null, 'cluster.local/ns/a/sa/web', 'other.example/ns/b/sa/web'),
})
