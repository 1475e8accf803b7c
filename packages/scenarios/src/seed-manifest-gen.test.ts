import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseManifests, type Resource } from '@bulkhead/resources'
import { type Flow, judge, type Verdict } from '@bulkhead/verdict'
import { root } from './testing/in-force.js'
import { layers, resources, snapshotWith } from './testing/repository.js'

/*
 * The walls around manifest-gen as the seed has them: a policy that is to deny everything and denies nothing, and a test that
 * asks a port that nobody has, from a pod that no mesh carries.
 */

const deny = readFileSync(join(root, 'packages/scenarios/fixtures/seed-admission/deny-all.yaml'), 'utf8')

function read(text: string): Resource {
  const { resources: found, diagnostics } = parseManifests(text, 'deny-all.yaml')
  assert.deepEqual(diagnostics, [])
  const [policy] = found
  assert.ok(policy)
  return { ...policy, layer: '50-identity' }
}

const everything = read(deny.replace('rules: []', 'rules: [{}]'))

const curlTest = (port: number): Flow => ({
  from: { workload: 'manifest-gen/curl-test' },
  to: { service: 'manifest-gen/manifest-gen' },
  port,
})
const codeOf = ({ decidedBy, steps }: Verdict): string | undefined => steps[decidedBy?.step ?? -1]?.code

describe('a DENY without rules', () => {
  it('is refused, as istiod’s webhook refuses it, with what to write instead', () => {
    const { resources: found, diagnostics } = parseManifests(deny, 'deny-all.yaml')
    assert.deepEqual(found, [])
    const [{ message, at } = assert.fail()] = diagnostics
    assert.equal(at.line, 9)
    assert.match(message, /DENY without rules is meaningless.*rules: \[\{\}\].*spec: \{\}/)
  })

  it('denies nothing where it comes in all the same', () => {
    const text = JSON.stringify(everything.object)
    assert.ok(text.includes('[{}]'))
    const slipped: Resource = { ...everything, object: JSON.parse(text.replace('[{}]', '[]')) }
    const verdict = judge(curlTest(80), snapshotWith(layers, {}, [...resources, slipped]))
    assert.equal(verdict.outcome, 'allow')
  })

  it('denies everything with one empty rule: the connection is closed, and nobody says 403', () => {
    const verdict = judge(curlTest(80), snapshotWith(layers, {}, [...resources, everything]))
    assert.deepEqual([verdict.outcome, verdict.symptom, codeOf(verdict)], ['deny', 'reset', 'authz.rule-denies'])
  })

  it('is not what spec: {} is, which denies only what nobody allows', () => {
    const policy = read(deny.replace(/spec:[\s\S]*/, 'spec: {}\n'))
    const beside = (...objects: readonly Resource[]): Verdict =>
      judge(curlTest(80), snapshotWith(layers, {}, [...objects, policy]))
    assert.equal(beside(...resources).outcome, 'allow')
    const bare = resources.filter(({ layer, namespace }) => layer !== '50-identity' || namespace !== 'manifest-gen')
    const verdict = beside(...bare)
    assert.deepEqual([verdict.outcome, verdict.symptom, codeOf(verdict)], ['deny', 'reset', 'authz.no-rule-allows'])
  })
})

describe('a test that asks for 8080', () => {
  const snapshot = snapshotWith(layers)

  it('is served by nobody: the Service has port 80, and the pod 8080', () => {
    assert.equal(judge(curlTest(80), snapshot).outcome, 'allow')
    const verdict = judge(curlTest(8080), snapshot)
    assert.deepEqual([verdict.outcome, verdict.symptom], ['deny', 'reset'])
    assert.match(verdict.text, /Service manifest-gen\/manifest-gen has no port 8080 \(it has 80\/TCP\)/)
  })

  it('from a pod that is not in the mesh shows nothing of the mesh: it is plain text, and has no identity', () => {
    const from = { namespace: 'default', labels: { run: 'curl-test' }, mesh: false }
    const flow: Flow = { ...curlTest(80), from }
    const permissive = judge(flow, snapshotWith([]))
    assert.equal(permissive.outcome, 'allow')
    assert.equal(permissive.hops[0]?.as, undefined)
    assert.equal(permissive.hops[0]?.tuple.port, 8080)
    assert.equal(codeOf(judge(flow, snapshotWith(['40-mtls']))), 'mtls.strict-no-identity')
    const inMesh = judge(curlTest(80), snapshotWith([]))
    assert.deepEqual(
      [inMesh.hops[0]?.as, inMesh.hops[0]?.tuple.port],
      ['spiffe://cluster.local/ns/manifest-gen/sa/curl-test', 15008],
    )
  })
})
