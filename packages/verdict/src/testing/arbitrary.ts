import type { AuthorizationPolicy, PeerAuthentication } from '@bulkhead/resources'
import fc from 'fast-check'
import type { NaiveCall } from './naive.js'

/*
 * Test code: random policy sets and calls. The worlds are small, so that policies and calls often meet.
 */

const namespaces = ['a', 'a', 'a', 'b', 'istio-system']
const principals = [
  'cluster.local/ns/a/sa/web',
  'cluster.local/ns/a/sa/db',
  'cluster.local/ns/b/sa/web',
  'other.example/ns/a/sa/web',
]
const addresses = ['10.0.0.1', '10.0.7.9', '192.168.4.4', '2001:db8::1', '2001:db8:1::5']
const ports = [80, 8080, 18080]

const some = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(arbitrary, { minLength: 1, maxLength: 2 })
const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
/** At most two of the fields. */
function sparse<T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> {
  return fc
    .subarray(Object.keys(fields) as (keyof T)[], { maxLength: 2 })
    .chain((keys) => fc.record(fields, { requiredKeys: keys }).map((record) => pick(record, keys)))
}

function pick<T extends object>(record: Partial<T>, keys: readonly (keyof T)[]): Partial<T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => keys.includes(key as keyof T))) as Partial<T>
}

const principal = oneOf(...principals, 'cluster.local/ns/a/*', '*/sa/web', '*', 'cluster.local/*/sa/web')
const namespace = oneOf('a', 'b', 'a*', '*b', '*')
const serviceAccount = oneOf('a/web', 'b/web', 'web', 'db', '*')
const block = oneOf('10.0.0.0/16', '10.0.7.9', '192.168.0.0/16', '0.0.0.0/0', '2001:db8::/32', '2001:db8::1', '::/0')
const port = oneOf('80', '8080', '18080', 'http')

const source = sparse({
  principals: some(principal),
  notPrincipals: some(principal),
  namespaces: some(namespace),
  notNamespaces: some(namespace),
  serviceAccounts: some(serviceAccount),
  notServiceAccounts: some(serviceAccount),
  ipBlocks: some(block),
  notIpBlocks: some(block),
  requestPrincipals: some(oneOf('issuer/*')),
  trustDomains: some(oneOf('cluster.local')),
})
const operation = sparse({
  ports: some(port),
  notPorts: some(port),
  methods: some(oneOf('GET')),
  notPaths: some(oneOf('/x')),
})
const valuesFor: Readonly<Record<string, fc.Arbitrary<string>>> = {
  'source.ip': block,
  'source.namespace': namespace,
  'source.principal': principal,
  'destination.ip': block,
  'destination.port': port,
  'request.headers[x]': oneOf('y'),
}
const condition = oneOf(...Object.keys(valuesFor)).chain((key) => {
  const value = valuesFor[key] ?? oneOf('y')
  return sparse({ values: some(value), notValues: some(value) }).map((rest) => ({ key, ...rest }))
})
export const rule = sparse({
  from: fc.array(
    source.map((value) => ({ source: value })),
    { maxLength: 2 },
  ),
  to: fc.array(
    operation.map((value) => ({ operation: value })),
    { maxLength: 2 },
  ),
  when: fc.array(condition, { maxLength: 2 }),
})
const selector = fc.option(oneOf<Record<string, string>>({ app: 'web' }, { app: 'db' }, {}), {
  nil: undefined,
  freq: 2,
})

export interface RandomPolicy<Spec> {
  readonly namespace: string
  readonly dryRun: boolean
  readonly spec: Spec
}
type AuthorizationSpec = NonNullable<AuthorizationPolicy['spec']>
type PeerSpec = NonNullable<PeerAuthentication['spec']>

/** A spec without `undefined` in it, as YAML has it. */
function written<T>(value: unknown): T {
  return JSON.parse(JSON.stringify(value)) as T
}

export const authorization: fc.Arbitrary<RandomPolicy<AuthorizationSpec>> = fc
  .record({
    namespace: oneOf(...namespaces),
    dryRun: oneOf(false, false, false, false, false, true),
    action: oneOf('ALLOW', 'ALLOW', 'DENY', 'DENY', 'AUDIT', 'CUSTOM', undefined),
    selector,
    targeted: oneOf(false, false, false, false, false, true),
    rules: fc.option(fc.array(rule, { maxLength: 3 }), { nil: undefined }),
  })
  .map(({ action, selector: matchLabels, targeted, rules, ...rest }) => ({
    ...rest,
    spec: written<AuthorizationSpec>({
      action,
      ...(targeted ? { targetRefs: [{ kind: 'Service', name: 'x' }] } : { selector: matchLabels && { matchLabels } }),
      rules,
    }),
  }))

const mode = oneOf('STRICT', 'STRICT', 'PERMISSIVE', 'DISABLE', 'UNSET')
export const peerAuthentication: fc.Arbitrary<RandomPolicy<PeerSpec>> = fc
  .record({
    namespace: oneOf(...namespaces),
    selector,
    mtls: fc.option(
      mode.map((value) => ({ mode: value })),
      { nil: undefined },
    ),
    portLevelMtls: fc.dictionary(
      oneOf('80', '8080'),
      mode.map((value) => ({ mode: value })),
      { maxKeys: 2 },
    ),
  })
  .map(({ namespace: own, selector: matchLabels, ...spec }) => ({
    namespace: own,
    dryRun: false,
    spec: written<PeerSpec>({ ...spec, selector: matchLabels && { matchLabels } }),
  }))

export const call: fc.Arbitrary<NaiveCall> = fc.record({
  pod: fc.record({
    namespace: oneOf(...namespaces),
    labels: oneOf<Record<string, string>>({ app: 'web' }, { app: 'db' }, { app: 'web', version: 'v2' }, {}),
    ip: oneOf('10.0.7.9', '2001:db8::9'),
  }),
  port: oneOf(...ports),
  ip: oneOf(...addresses),
  principal: fc.option(oneOf(...principals), { nil: null, freq: 2 }),
})
