import assert from 'node:assert/strict'
import { test } from 'node:test'
import { peerAuthentication } from '../testing/objects.js'
import { dst, onDst, plain, short, src, verdict } from '../testing/scene.js'

/*
 * Golden vectors 78 to 82. Upstream: istio/istio tests/integration/ambient, TestPeerAuthentication.
 */

const strict = { mtls: { mode: 'STRICT' } } as const
const denied = { outcome: 'deny', symptom: 'reset', code: 'mtls.strict-no-identity' }

test('78 permissive: PERMISSIVE accepts plain text', () => {
  const permissive = peerAuthentication('app/default', { mtls: { mode: 'PERMISSIVE' } })
  for (const policies of [[], [permissive]]) assert.equal(verdict(policies, plain).outcome, 'allow')
})

test('79 strict: a namespace that is STRICT refuses plain text and accepts the mesh', () => {
  const policies = [peerAuthentication('app/default', strict)]
  assert.deepEqual(short(verdict(policies, plain)), denied)
  assert.equal(verdict(policies, src).outcome, 'allow')
})

test('80 strict-permissive-ports: a STRICT workload with one PERMISSIVE port', () => {
  const policies = [
    peerAuthentication('app/ports', {
      selector: onDst,
      ...strict,
      portLevelMtls: { 18080: { mode: 'PERMISSIVE' } },
    }),
  ]
  assert.equal(verdict(policies, plain, dst, 18080).outcome, 'allow')
  assert.deepEqual(short(verdict(policies, plain, dst, 8080)), denied)
})

test('81 global-strict-permissive-workload-ports: a mode for a port without one for the workload inherits the rest', () => {
  const policies = [
    peerAuthentication('istio-system/default', strict),
    peerAuthentication('app/ports', { selector: onDst, portLevelMtls: { 18080: { mode: 'PERMISSIVE' } } }),
  ]
  assert.equal(verdict(policies, plain, dst, 18080).outcome, 'allow')
  assert.deepEqual(short(verdict(policies, plain, dst, 8080)), denied)
})

test('82 global-permissive-strict-workload-ports: one STRICT port in a PERMISSIVE mesh', () => {
  const policies = [
    peerAuthentication('istio-system/default', { mtls: { mode: 'PERMISSIVE' } }),
    peerAuthentication('app/ports', { selector: onDst, portLevelMtls: { 18080: { mode: 'STRICT' } } }),
  ]
  assert.deepEqual(short(verdict(policies, plain, dst, 18080)), denied)
  assert.equal(verdict(policies, plain, dst, 8080).outcome, 'allow')
})
