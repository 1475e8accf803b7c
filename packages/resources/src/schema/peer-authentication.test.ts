import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PeerAuthentication } from '../kinds.js'
import { only, problems } from '../testing.js'

const policy = (spec: string, metadata = 'name: p, namespace: shop') =>
  `apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: { ${metadata} }\nspec:\n  ${spec}`

test('modes, selectors and ports as the API server takes them', () => {
  for (const spec of [
    'mtls: { mode: STRICT }',
    'mtls: {}',
    '{}',
    'selector: { matchLabels: { app: a } }\n  portLevelMtls: { 8080: { mode: PERMISSIVE }, "65535": { mode: UNSET } }',
  ]) {
    assert.deepEqual(problems(policy(spec)), [], spec)
  }
  assert.deepEqual(problems(policy('{}').replace('/v1', '/v1beta1')), [])
  const { object } = only(policy('selector: { matchLabels: { app: a } }\n  portLevelMtls: { 8080: { mode: UNSET } }'))
  assert.deepEqual((object as PeerAuthentication).spec?.portLevelMtls, { '8080': { mode: 'UNSET' } })
})

test('what it refuses is an error at its place', () => {
  const withSelector = 'selector: { matchLabels: { app: a } }\n  '
  const table: [string, string[]][] = [
    ['mtls: { mode: BLAH }', ['error field.value 5:11']],
    ['mtls: { mode: strict }', ['error field.value 5:11']],
    ['mtls: STRICT', ['error field.type 5:3']],
    ['mlts: { mode: STRICT }', ['error field.unknown 5:3']],
    ['portLevelMtls: { 8080: { mode: STRICT } }', ['error ports.no-selector 5:3']],
    [
      'selector: {}\n  portLevelMtls: { 8080: { mode: STRICT } }',
      ['warning selector.empty 5:3', 'error ports.no-selector 6:3'],
    ],
    [`${withSelector}portLevelMtls: {}`, ['error ports.empty 6:3']],
    [`${withSelector}portLevelMtls: { 0: {} }`, ['error value.port 6:20']],
    [`${withSelector}portLevelMtls: { 65536: {} }`, ['error value.port 6:20']],
    [`${withSelector}portLevelMtls: { http: {} }`, ['error value.port 6:20']],
    ['selector: { matchLabels: { "*": a } }', ['error selector.wildcard 5:30']],
    ['targetRefs: []', ['error field.unknown 5:3']],
  ]
  for (const [spec, expected] of table) assert.deepEqual(problems(policy(spec)), expected, spec)
  assert.deepEqual(problems(policy('{}').replace('/v1', '/v1alpha1')), ['error kind.version 1:1'])
  assert.deepEqual(problems(policy('{}', 'name: p, namespace: shop, annotations: { istio.io/dry-run: "true" }')), [
    'error annotation.dry-run 3:54',
  ])
})

test('DISABLE is taken, and is not what it says: the ambient mesh reads it as PERMISSIVE', () => {
  assert.deepEqual(problems(policy('mtls: { mode: DISABLE }')), ['warning ztunnel.disable 5:11'])
  assert.deepEqual(
    problems(policy('selector: { matchLabels: { app: a } }\n  portLevelMtls: { 8080: { mode: DISABLE } }')),
    ['warning ztunnel.disable 6:28'],
  )
})
