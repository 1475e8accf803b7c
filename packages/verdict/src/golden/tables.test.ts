import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuthorizationPolicy, PeerAuthentication, Resource } from '@bulkhead/resources'
import { authorizationPolicy, peerAuthentication } from '../testing/objects.js'
import { dst, onDst, outside, plain, short, src, srcPrincipal, verdict } from '../testing/scene.js'
import type { FlowSource } from '../types.js'

/*
 * The tables of semantics C.2 to C.6, row by row, where no golden vector holds the row. `src` is in the mesh, `plain`
 * is not; both call app/dst:8080.
 */

type Spec = NonNullable<AuthorizationPolicy['spec']>
type PeerSpec = NonNullable<PeerAuthentication['spec']>
const otherNs: FlowSource = { workload: 'other/src' }

const codeOf = (policies: readonly Resource[], from: FlowSource, port = 8080): string =>
  short(verdict(policies, from, dst, port)).code
const policy = (spec: Spec, key = 'app/p'): Resource => authorizationPolicy(key, spec)
const onlyRule = (rule: NonNullable<Spec['rules']>[number], action: Spec['action'] = 'ALLOW'): Resource =>
  policy({ selector: onDst, action, rules: [rule] })
const source = (value: object): NonNullable<Spec['rules']>[number] => ({ from: [{ source: value }] })
const operation = (value: object): NonNullable<Spec['rules']>[number] => ({ to: [{ operation: value }] })

test('C.2 precedence: workload, then namespace, then mesh; UNSET and nothing at all inherit', () => {
  const strict: PeerSpec = { mtls: { mode: 'STRICT' } }
  const permissive: PeerSpec = { mtls: { mode: 'PERMISSIVE' } }
  const [unset, silent, bare]: PeerSpec[] = [{ mtls: { mode: 'UNSET' } }, { mtls: {} }, {}]
  const mesh = (spec: PeerSpec): Resource => peerAuthentication('istio-system/mesh', spec)
  const ns = (spec: PeerSpec): Resource => peerAuthentication('app/ns', spec)
  const own = (spec: PeerSpec): Resource => peerAuthentication('app/own', { selector: onDst, ...spec })
  const denied = 'mtls.strict-no-identity'
  const rows: [readonly Resource[], boolean][] = [
    [[mesh(strict)], true],
    [[mesh(strict), ns(permissive)], false],
    [[mesh(strict), ns({ mtls: { mode: 'DISABLE' } })], false],
    [[mesh(permissive), ns(strict)], true],
    [[ns(strict), own(permissive)], false],
    [[ns(permissive), own(strict)], true],
    ...[unset, silent, bare].flatMap((none = {}): [readonly Resource[], boolean][] => [
      [[mesh(strict), ns(none), own(none)], true],
      [[mesh(strict), ns(permissive), own(none)], false],
      [[mesh(none)], false],
    ]),
    // In the root namespace a selector is ignored, and the object with it.
    [[peerAuthentication('istio-system/s', { selector: onDst, ...strict })], false],
    // A selector without labels is none.
    [[peerAuthentication('app/s', { selector: {}, ...strict })], true],
    [[peerAuthentication('app/s', { selector: { matchLabels: {} }, ...strict })], true],
    [[peerAuthentication('app/s', { selector: { matchLabels: { app: 'nobody' } }, ...strict })], false],
    [[peerAuthentication('other/s', strict)], false],
  ]
  for (const [index, [policies, refused]] of rows.entries()) {
    assert.equal(codeOf(policies, plain) === denied, refused, `row ${index}`)
    assert.equal(verdict(policies, src).outcome, 'allow', `row ${index}, with an identity`)
  }
})

test('C.2 modes of single ports: alone, inherited, and against the rest', () => {
  const ports = (mtls: PeerSpec['mtls'], port: object): Resource =>
    peerAuthentication('app/own', { selector: onDst, ...(mtls && { mtls }), portLevelMtls: { 8080: port } })
  const strictNs = peerAuthentication('app/ns', { mtls: { mode: 'STRICT' } })
  const rows: [readonly Resource[], boolean, boolean][] = [
    // policies, refused on 8080, refused on 9090
    [[ports(undefined, { mode: 'STRICT' })], true, false],
    [[ports({ mode: 'STRICT' }, { mode: 'PERMISSIVE' })], false, true],
    [[ports({ mode: 'STRICT' }, { mode: 'DISABLE' })], false, true],
    [[ports({ mode: 'STRICT' }, { mode: 'UNSET' })], true, true],
    [[ports({ mode: 'STRICT' }, {})], true, true],
    [[strictNs, ports({ mode: 'UNSET' }, { mode: 'PERMISSIVE' })], false, true],
    [[strictNs, ports({ mode: 'PERMISSIVE' }, { mode: 'STRICT' })], true, false],
    [[strictNs, ports({ mode: 'PERMISSIVE' }, { mode: 'UNSET' })], false, false],
  ]
  for (const [index, [policies, on8080, on9090]] of rows.entries()) {
    assert.equal(verdict(policies, plain).outcome === 'deny', on8080, `row ${index}: 8080`)
    assert.equal(verdict(policies, plain, dst, 9090).outcome === 'deny', on9090, `row ${index}: 9090`)
  }
})

test('C.2 with several at one level the oldest wins, and only it: an older UNSET hides a younger STRICT', () => {
  const at = (name: string, mode: 'STRICT' | 'PERMISSIVE' | 'UNSET', created: string): Resource =>
    peerAuthentication(`app/${name}`, { mtls: { mode } }, { created })
  const old = '2026-01-01T00:00:00Z'
  const young = '2026-02-01T00:00:00Z'
  assert.equal(verdict([at('a', 'STRICT', young), at('b', 'PERMISSIVE', old)], plain).outcome, 'allow')
  assert.equal(verdict([at('a', 'PERMISSIVE', young), at('b', 'STRICT', old)], plain).outcome, 'deny')
  assert.equal(verdict([at('a', 'STRICT', young), at('b', 'UNSET', old)], plain).outcome, 'allow')
})

test('C.2 STRICT is a DENY: no ALLOW overrides it', () => {
  const policies = [peerAuthentication('app/default', { mtls: { mode: 'STRICT' } }), onlyRule({})]
  assert.deepEqual(short(verdict(policies, plain)), {
    outcome: 'deny',
    symptom: 'reset',
    code: 'mtls.strict-no-identity',
  })
  assert.equal(verdict(policies, src).outcome, 'allow')
})

test('C.3 strings: exact, prefix, suffix, presence; a star inside is a letter, and nothing is trimmed', () => {
  const rows: [string, boolean][] = [
    [srcPrincipal, true],
    ['cluster.local/ns/app/*', true],
    ['*/sa/src', true],
    ['*', true],
    ['cluster.local/*/sa/src', false],
    ['cluster.local/ns/app/sa/s*c', false],
    ['cluster.local/ns/app/sa/src ', false],
    ['Cluster.local/ns/app/sa/src', false],
    [`spiffe://${srcPrincipal}`, false],
    ['*app*', false],
    ['**', false],
    ['', false],
  ]
  for (const [pattern, matches] of rows) {
    const positive = onlyRule(source({ principals: [pattern] }))
    assert.equal(verdict([positive], src).outcome, matches ? 'allow' : 'deny', pattern)
    assert.equal(verdict([positive], plain).outcome, 'deny', `${pattern}, without an identity`)
    const negative = onlyRule(source({ notPrincipals: [pattern] }))
    assert.equal(verdict([negative], src).outcome, matches ? 'deny' : 'allow', `not ${pattern}`)
    assert.equal(verdict([negative], plain).outcome, 'allow', `not ${pattern}, without an identity`)
  }
})

test('C.3 grammar: rules, entries and values are OR; fields, clauses and conditions are AND', () => {
  const rows: [NonNullable<Spec['rules']>[number], boolean][] = [
    [source({ principals: ['x', srcPrincipal] }), true],
    [{ from: [{ source: { principals: ['x'] } }, { source: { namespaces: ['app'] } }] }, true],
    [source({ principals: [srcPrincipal], namespaces: ['other'] }), false],
    [source({ principals: [srcPrincipal], notNamespaces: ['app'] }), false],
    [{ ...source({ principals: [srcPrincipal] }), ...operation({ ports: ['9090'] }) }, false],
    [{ to: [{ operation: { ports: ['9090'] } }, { operation: { ports: ['8080'] } }] }, true],
    [operation({ ports: ['8080'], notPorts: ['8080'] }), false],
    [{ when: [{ key: 'source.namespace', values: ['app'] }] }, true],
    [
      {
        when: [
          { key: 'source.namespace', values: ['app'] },
          { key: 'destination.port', values: ['9090'] },
        ],
      },
      false,
    ],
    [{ when: [{ key: 'source.namespace', values: ['app', 'other'], notValues: ['app'] }] }, false],
    // Missing and empty clauses are no constraint.
    [{ from: [], to: [], when: [] }, true],
    // An entry that names nothing never matches.
    [{ from: [{}] }, false],
    [{ from: [{ source: {} }] }, false],
    [{ to: [{ operation: { ports: [] } }] }, false],
  ]
  for (const [index, [rule, matches]] of rows.entries()) {
    assert.equal(verdict([onlyRule(rule)], src).outcome, matches ? 'allow' : 'deny', `ALLOW, row ${index}`)
    assert.equal(verdict([onlyRule(rule, 'DENY')], src).outcome, matches ? 'deny' : 'allow', `DENY, row ${index}`)
  }
})

test('C.4 what a policy without targetRefs selects', () => {
  const denies = (key: string, spec: Spec): string[] =>
    [src, otherNs].map((from) => {
      const to = { workload: from === src ? 'app/dst' : 'other/dst' }
      const described = { namespace: 'other', labels: { app: 'dst' }, mesh: true }
      return verdict([policy(spec, key)], from, from === src ? to : described).outcome
    })
  assert.deepEqual(denies('app/p', {}), ['deny', 'allow'], 'its own namespace')
  assert.deepEqual(denies('app/p', { selector: {} }), ['deny', 'allow'], 'an empty selector is none')
  assert.deepEqual(denies('istio-system/p', {}), ['deny', 'deny'], 'the root namespace: all')
  assert.deepEqual(
    denies('istio-system/p', { selector: onDst }),
    ['deny', 'deny'],
    'with a selector: in all namespaces',
  )
  assert.deepEqual(denies('app/p', { selector: onDst }), ['deny', 'allow'])
  assert.deepEqual(denies('app/p', { selector: { matchLabels: { app: 'x' } } }), ['allow', 'allow'])
  assert.deepEqual(denies('plain/p', {}), ['allow', 'allow'])
})

test('C.4 policies of the same name in two namespaces are two', () => {
  const of = verdict([policy({}, 'app/p'), policy({}, 'istio-system/p')], src)
  assert.deepEqual(
    of.steps.at(-1)?.isolatedBy?.map(({ policy: id }) => id),
    ['AuthorizationPolicy/app/p', 'AuthorizationPolicy/istio-system/p'],
  )
})

test('C.5 what becomes of request attributes: every one of them, in ALLOW and in DENY', () => {
  const l7: NonNullable<Spec['rules']>[number][] = [
    ...['hosts', 'methods', 'paths', 'notHosts', 'notMethods', 'notPaths'].map((name) => operation({ [name]: ['x'] })),
    ...['requestPrincipals', 'remoteIpBlocks', 'notRequestPrincipals', 'notRemoteIpBlocks'].map((name) =>
      source({ [name]: ['10.0.0.1'] }),
    ),
    ...['request.headers[x]', 'request.auth.claims[a]', 'connection.sni', 'source.serviceAccount', 'remote.ip'].map(
      (key) => ({ when: [{ key, values: ['x'] }] }),
    ),
  ]
  for (const rule of l7) {
    const name = JSON.stringify(rule)
    assert.equal(codeOf([onlyRule(rule)], src), 'authz.no-rule-allows', `ALLOW ${name}`)
    assert.equal(codeOf([onlyRule(rule, 'DENY')], src), 'authz.no-allow-policy', `DENY ${name}`)
  }
  // A pure L4 rule beside a dropped one still allows (allow-groups).
  const beside = policy({ selector: onDst, rules: [operation({ methods: ['GET'] }), source({ namespaces: ['app'] })] })
  assert.equal(codeOf([beside], src), 'authz.rule-allows')
})

test('C.5 a DENY rule that ztunnel empties is said beside the verdict that it does not change', () => {
  const deny = onlyRule({ ...source({ principals: [srcPrincipal] }), ...operation({ methods: ['DELETE'] }) }, 'DENY')
  const step = verdict([deny], src, dst, 8080, { http: { method: 'DELETE', path: '/' } }).steps.at(-1)
  assert.equal(step?.outcome, 'allow')
  assert.equal(step?.facts?.ignored, 'rule 0 of AuthorizationPolicy/app/p (it needs methods)')
  const mixed = onlyRule(operation({ ports: ['9090'], methods: ['DELETE'] }), 'DENY')
  assert.equal(verdict([mixed], src).steps.at(-1)?.facts?.ignored, undefined, 'this one denies on 9090')
})

test('C.5 ports: numbers as text; what is none is dropped, and an entry left empty never matches', () => {
  const rows: [readonly string[], boolean][] = [
    [['8080'], true],
    [['008080'], true],
    [['http', '8080'], true],
    [['http'], false],
    [[' 8080'], false],
    [['8000-8100'], false],
    [['8080.0'], false],
    [['0x1f90'], false],
  ]
  for (const [ports, matches] of rows) {
    const name = JSON.stringify(ports)
    assert.equal(verdict([onlyRule(operation({ ports }))], src).outcome, matches ? 'allow' : 'deny', name)
    assert.equal(verdict([onlyRule(operation({ ports }), 'DENY')], src).outcome, matches ? 'deny' : 'allow', name)
  }
  assert.equal(verdict([onlyRule(operation({ notPorts: ['http'] }))], src).outcome, 'deny', 'nothing is left of it')
})

test('C.5 a dry run is not sent', () => {
  const dry = authorizationPolicy('app/p', {}, { annotations: { 'istio.io/dry-run': 'true' } })
  assert.equal(codeOf([dry], src), 'authz.no-allow-policy')
  const wet = authorizationPolicy('app/p', {}, { annotations: { 'istio.io/dry-run': 'false' } })
  assert.equal(codeOf([wet], src), 'authz.no-rule-allows')
})

test('C.6 without an identity positive forms fail and not-forms match', () => {
  for (const [field, value] of [
    ['principals', srcPrincipal],
    ['namespaces', 'app'],
    ['serviceAccounts', 'app/src'],
  ] as const) {
    const negative = `not${field[0]?.toUpperCase()}${field.slice(1)}`
    for (const who of [plain, outside]) {
      assert.equal(verdict([onlyRule(source({ [field]: [value] }))], who).outcome, 'deny', field)
      assert.equal(verdict([onlyRule(source({ [negative]: [value] }))], who).outcome, 'allow', negative)
    }
    assert.equal(verdict([onlyRule(source({ [field]: [value] }))], src).outcome, 'allow', field)
    assert.equal(verdict([onlyRule(source({ [negative]: [value] }))], src).outcome, 'deny', negative)
  }
})

test('C.6 serviceAccounts: exact, a bare name is of the policy’s namespace', () => {
  const rows: [string, boolean, boolean][] = [
    // value, app/src, other/src
    ['src', true, false],
    ['app/src', true, false],
    ['other/src', false, true],
    ['*', false, false],
    ['app/*', false, false],
  ]
  for (const [value, own, other] of rows) {
    const policies = [onlyRule(source({ serviceAccounts: [value] }))]
    assert.deepEqual(
      [verdict(policies, src).outcome, verdict(policies, otherNs).outcome],
      [own, other].map((yes) => (yes ? 'allow' : 'deny')),
      value,
    )
  }
})

test('C.6 trustDomains is as if it were not written', () => {
  assert.equal(codeOf([onlyRule(source({ trustDomains: ['cluster.local'] }))], src), 'authz.no-rule-allows')
  assert.equal(
    codeOf([onlyRule(source({ trustDomains: ['elsewhere'], namespaces: ['app'] }))], src),
    'authz.rule-allows',
  )
})

test('C.6 ipBlocks: the address of the peer; the two families never meet', () => {
  const from = (external: string): FlowSource => ({ external })
  const rows: [string, string, boolean][] = [
    ['203.0.113.7', '203.0.113.7', true],
    ['203.0.113.0/24', '203.0.113.7', true],
    ['203.0.113.9/24', '203.0.113.7', true],
    ['203.0.112.0/24', '203.0.113.7', false],
    ['0.0.0.0/0', '203.0.113.7', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '2001:db8::1', true],
    ['::/0', '203.0.113.7', false],
    ['2001:db8::/32', '2001:0DB8:0::1', true],
    // IPv4 in IPv6 clothes is IPv4, as an address; as a block it stays IPv6.
    ['203.0.113.0/24', '::ffff:203.0.113.7', true],
    ['::ffff:203.0.113.0/120', '203.0.113.7', false],
  ]
  for (const [block, ip, inside] of rows) {
    const name = `${ip} in ${block}`
    const positive = onlyRule(source({ ipBlocks: [block] }))
    assert.equal(verdict([positive], from(ip)).outcome, inside ? 'allow' : 'deny', name)
    const negative = onlyRule(source({ notIpBlocks: [block] }))
    assert.equal(verdict([negative], from(ip)).outcome, inside ? 'deny' : 'allow', `not ${name}`)
    const condition = onlyRule({ when: [{ key: 'source.ip', notValues: [block] }] }, 'DENY')
    assert.equal(verdict([condition], from(ip)).outcome, inside ? 'allow' : 'deny', `when not ${name}`)
  }
})

test('a field or key named as something that every object has is a field like any other', () => {
  for (const name of ['constructor', 'toString', '__proto__', 'notConstructor']) {
    const rule = JSON.parse(`{"from":[{"source":{"${name}":["x"]}}]}`)
    assert.equal(codeOf([onlyRule(rule)], src), 'not-modelled', name)
    const when = { when: [{ key: name, values: ['x'] }] }
    assert.equal(codeOf([onlyRule(when)], src), 'authz.no-rule-allows', name)
  }
})
