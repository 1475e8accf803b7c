import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, objectsOf, outcomes, podOf } from '../../../testing/cluster-policy.js'

/*
 * Golden vectors 137 to 141 and 145 (semantics G.5): the rule that Kyverno's own library has for what the seed wanted, either
 * the pod says it or every container does, init and ephemeral ones too.
 */

const policy = (action: string, more = '') =>
  objectsOf(`
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: require-run-as-nonroot}
spec:
  ${more}
  rules:
    - name: run-as-non-root
      match: {any: [{resources: {kinds: [Pod]}}]}
      validate:
        failureAction: ${action}
        message: Running as root is not allowed.
        anyPattern:
          - spec:
              securityContext: {runAsNonRoot: true}
              =(ephemeralContainers): [{=(securityContext): {=(runAsNonRoot): true}}]
              =(initContainers): [{=(securityContext): {=(runAsNonRoot): true}}]
              containers: [{=(securityContext): {=(runAsNonRoot): true}}]
          - spec:
              =(ephemeralContainers): [{securityContext: {runAsNonRoot: true}}]
              =(initContainers): [{securityContext: {runAsNonRoot: true}}]
              containers: [{securityContext: {runAsNonRoot: true}}]
`)

const enforced = policy('Enforce')
const as = (runAsNonRoot: boolean) => ({ securityContext: { runAsNonRoot } })
const named = (runAsNonRoot?: boolean) => ({
  name: 'c',
  image: 'i',
  ...(runAsNonRoot !== undefined && as(runAsNonRoot)),
})

const table: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
  ['137: nothing set', {}, 'deny'],
  ['138: the container false', { containers: [named(false)] }, 'deny'],
  ['138: the pod false', as(false), 'deny'],
  ['139: the pod true, its container false', { ...as(true), containers: [named(false)] }, 'deny'],
  ['140: the pod true, its init container false', { ...as(true), initContainers: [named(false)] }, 'deny'],
  ['and its ephemeral container', { ...as(true), ephemeralContainers: [named(false)] }, 'deny'],
  ['141: the pod true', as(true), 'allow'],
  ['141: the container true alone', { containers: [named(true)] }, 'allow'],
  ['141: the pod and its init container true', { ...as(true), initContainers: [named(true)] }, 'allow'],
]

for (const [what, spec, outcome] of table)
  test(`${what}: ${outcome}`, () => {
    assert.deepEqual(outcomes(ask(enforced, podOf(spec)).steps), [`${outcome} run-as-non-root`])
  })

test('137: both alternatives are told, and the place is that of the first', () => {
  const [step] = ask(enforced, podOf()).steps
  assert.equal(
    step?.message,
    'validation error: Running as root is not allowed. rule run-as-non-root[0] failed at path /spec/securityContext/ rule run-as-non-root[1] failed at path /spec/containers/0/securityContext/',
  )
  assert.equal(step?.path, '/spec/securityContext')
})

test('a pod that kubectl debug adds a container to is asked, too', () => {
  const object = podOf({ ...as(true), ephemeralContainers: [named(false)] })
  const asking = { operation: 'UPDATE', oldObject: podOf(as(true)), subResource: 'ephemeralcontainers' } as const
  assert.deepEqual(outcomes(ask(enforced, object, 'validate', asking).steps), ['deny run-as-non-root'])
})

test('145: Audit lets it in and says so in reports; with emitWarning whoever asks is told', () => {
  const [audited] = ask(policy('Audit'), podOf()).steps
  assert.deepEqual([audited?.outcome, audited?.code], ['audit', 'admission.audited'])
  assert.match(audited?.message ?? '', /Running as root is not allowed/)
  const [warned] = ask(policy('Audit', 'emitWarning: true'), podOf()).steps
  assert.deepEqual([warned?.outcome, warned?.code], ['warn', 'admission.warned'])
})

test('a policy for scans in the background alone is asked by nobody', () => {
  assert.deepEqual(ask(policy('Enforce', 'admission: false'), podOf()).steps, [])
})
