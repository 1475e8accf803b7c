import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { refusalSightings } from './refusal.js'

const at = '2026-11-21T10:00:00.000Z'
const policiesOf = (stderr: string, object?: string) =>
  refusalSightings(stderr, { at, ...(object !== undefined && { object }) }).map(({ by, policy }) => [by, policy])

describe("a refusal in kubectl's words", () => {
  it("by Kyverno's policies names each of them", () => {
    const one =
      'Error from server: error when creating "STDIN": admission webhook "vpol.validate.kyverno.svc-fail" denied the request: Policy disallow-root-user failed: Running as root is forbidden'
    assert.deepEqual(policiesOf(one), [['kyverno', 'ValidatingPolicy/disallow-root-user']])
    assert.deepEqual(policiesOf(`${one}; Policy allowed-images failed: Policy x failed: no`), [
      ['kyverno', 'ValidatingPolicy/disallow-root-user'],
      ['kyverno', 'ValidatingPolicy/allowed-images'],
    ])
    assert.deepEqual(policiesOf(one.replace('vpol.', 'nvpol.')), [
      ['kyverno', 'NamespacedValidatingPolicy/disallow-root-user'],
    ])
  })

  it('by several, a line each', () => {
    const text =
      'Error from server: error when creating "pod.yaml": admission webhook "vpol.validate.kyverno.svc-fail" denied the request:\nPolicy a failed: one;\nPolicy b failed: two'
    assert.deepEqual(
      policiesOf(text).map(([, policy]) => policy),
      ['ValidatingPolicy/a', 'ValidatingPolicy/b'],
    )
  })

  it('in the deprecated form has a heading for each policy', () => {
    const text = `Error from server: error when creating "STDIN": admission webhook "validate.kyverno.svc-fail" denied the request: \n\nresource Pod/sandbox/hacker was blocked due to the following policies \n\ndisallow-root-user:\n  no-root: 'validation error: Running as root is forbidden. rule no-root failed at path /spec/'\n`
    assert.deepEqual(policiesOf(text), [['kyverno', 'ClusterPolicy/disallow-root-user']])
  })

  it('by Pod Security is by the labels of its namespace', () => {
    const text =
      'Error from server (Forbidden): error when creating "STDIN": pods "hacker" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false)'
    assert.deepEqual(policiesOf(text, 'Pod/shop/hacker'), [['api-server', 'Namespace/shop']])
    assert.deepEqual(policiesOf(text), [['api-server', undefined]])
  })

  it("by the API server's own policies, or by another's webhook", () => {
    const own = "The pods \"x\" is invalid: : ValidatingAdmissionPolicy 'p.example' with binding 'b' denied request: no"
    assert.deepEqual(policiesOf(own), [['api-server', 'ValidatingAdmissionPolicy/p.example']])
    const other =
      'Error from server: admission webhook "validation.istio.io" denied the request: configuration is invalid'
    assert.deepEqual(policiesOf(other), [['api-server', undefined]])
  })

  it('is told whole, and is none where something else went wrong', () => {
    const [sighting] = refusalSightings(
      'admission webhook "vpol.validate.kyverno.svc-fail" denied the request: Policy a failed: one\n',
      { at, object: 'Pod/shop/x' },
    )
    assert.deepEqual(sighting, {
      by: 'kyverno',
      at,
      outcome: 'deny',
      source: {},
      destination: { workload: 'shop/x' },
      code: 'admission.denied',
      policy: 'ValidatingPolicy/a',
      line: 'admission webhook "vpol.validate.kyverno.svc-fail" denied the request: Policy a failed: one',
    })
    for (const text of [
      '',
      'Unable to connect to the server: EOF',
      `admission webhook "${'x'.repeat(100_000)}`,
      '\u0000',
    ]) {
      assert.deepEqual(refusalSightings(text, { at }), [])
    }
  })
})
