import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '@bulkhead/resources'
import { judge } from '../flow/judge.js'
import { compile } from '../model/compile.js'
import { CompileError } from '../model/compile-error.js'
import { echoes } from '../testing/network-scene.js'
import { ciliumPolicy } from '../testing/objects.js'

/*
 * What Cilium refuses although each object by itself is fine. Two families of rules for one port are golden vector 51.
 */

test('two modes of authentication for the same peers and port cannot be merged', () => {
  const auth = (name: string, mode: 'required' | 'disabled'): Resource =>
    ciliumPolicy(`test/${name}`, { ingress: [{ fromEndpoints: [{}], authentication: { mode } }] })
  assert.throws(() => compile([...echoes, auth('a', 'required'), auth('b', 'disabled')]), CompileError)
  compile([...echoes, auth('a', 'required'), auth('b', 'required')])
  // For a pod that exists only in a flow there is nobody to tell: it cannot be said.
  const onNobody = (name: string, mode: 'required' | 'disabled'): Resource =>
    ciliumPolicy(`test/${name}`, {
      endpointSelector: { matchLabels: { name: 'nobody' } },
      ingress: [{ fromEndpoints: [{}], authentication: { mode } }],
    })
  const snapshot = compile([...echoes, onNobody('a', 'required'), onNobody('b', 'disabled')])
  const to = { namespace: 'test', labels: { name: 'nobody' } }
  assert.equal(judge({ from: { workload: 'test/client' }, to, port: 80 }, snapshot).outcome, 'unknown')
})

test('an expression that is no RE2 is an error with its place', () => {
  const rules = { http: [{ path: '(' }] }
  const policy = ciliumPolicy('test/p', { ingress: [{ toPorts: [{ ports: [{ port: '80' }], rules }] }] })
  assert.throws(
    () => compile([...echoes, policy]),
    /^CompileError: p\.yaml:\d+: CiliumNetworkPolicy\/test\/p: no RE2 expression/,
  )
})
