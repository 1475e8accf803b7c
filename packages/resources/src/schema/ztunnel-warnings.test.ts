import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests } from '../parse.js'

const warnings = (spec: string) =>
  parseManifests(
    `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: p, namespace: shop }\nspec:\n${spec}`,
    'p.yaml',
  ).diagnostics.map(({ severity, code, message, at }) => `${severity} ${code} ${at.line} ${message}`)

const one = (spec: string, expected: RegExp) => {
  const found = warnings(spec)
  assert.equal(found.length, 1, found.join('\n'))
  assert.match(found[0] ?? '', expected)
}

test('ALLOW: a rule with a request field is dropped; with none left the policy denies everyone', () => {
  one(
    '  rules:\n    - to: [{ operation: { methods: [GET] } }]',
    /^warning ztunnel\.request-fields 6 .*cannot see methods.*denies everyone/,
  )
  one('  rules:\n    - to: [{ operation: { ports: ["80"], methods: [GET] } }]', /denies everyone/)
  one(
    '  rules:\n    - when: [{ key: connection.sni, values: [x] }]\n    - to: [{ operation: { ports: ["80"] } }]',
    / 6 .*cannot see connection\.sni.*the other rules stay/,
  )
})

test('DENY: an emptied clause makes the rule deny nothing, a mixed one makes it deny more', () => {
  one('  action: DENY\n  rules:\n    - to: [{ operation: { methods: [DELETE] } }]', /the rule denies nothing/)
  one(
    '  action: DENY\n  rules:\n    - from: [{ source: { namespaces: [a] } }]\n      to: [{ operation: { methods: [DELETE] } }]',
    /the rule denies nothing/,
  )
  one(
    '  action: DENY\n  rules:\n    - from: [{ source: { namespaces: [a] } }]\n      when: [{ key: "request.headers[x]", values: [a] }]',
    /the rule denies nothing/,
  )
  one(
    '  action: DENY\n  rules:\n    - to: [{ operation: { ports: ["8080"], methods: [DELETE] } }]',
    /denies every connection that the rest matches/,
  )
})

test('trust domains are not looked at: alone they match nobody', () => {
  one('  rules:\n    - from: [{ source: { trustDomains: [a] } }]', /^warning ztunnel\.trust-domains 6 .*matches nobody/)
  one(
    '  rules:\n    - from: [{ source: { notTrustDomains: [a], namespaces: [b] } }]',
    /notTrustDomains.*as if it were not there/,
  )
})

test('AUDIT and CUSTOM do nothing at ztunnel', () => {
  one('  action: AUDIT\n  rules: [{}]', /^warning ztunnel\.action 5 .*does not know the action AUDIT/)
})

test('no warning where requests are seen, and none for what ztunnel sees', () => {
  for (const spec of [
    '  targetRefs: [{ kind: Service, name: s }]\n  rules:\n    - to: [{ operation: { methods: [GET] } }]',
    '  selector: { matchLabels: { gateway.networking.k8s.io/gateway-name: g } }\n  rules:\n    - to: [{ operation: { methods: [GET] } }]',
    '  rules:\n    - from: [{ source: { namespaces: [a], notIpBlocks: [10.0.0.1] } }]\n      to: [{ operation: { notPorts: ["80"] } }]\n      when: [{ key: source.principal, values: [a] }]',
  ]) {
    assert.deepEqual(warnings(spec), [])
  }
})
