import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { admit } from './admit.js'
import { compileAdmission } from './compile.js'
import { compileAdmission as compileLazily } from './lazy.js'
import { objects } from './testing/read.js'
import type { Admission } from './types.js'

/** Every module that comes with one, statically, and the packages among them. */
function loadedBy(url: URL, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(url.href)) return seen
  seen.add(url.href)
  for (const [, from = ''] of readFileSync(url, 'utf8').matchAll(/^(?:import|export)[^;]*? from '([^']+)';$/gm)) {
    if (from.startsWith('.')) loadedBy(new URL(from, url), seen)
    else seen.add(from)
  }
  return seen
}

test('what the deprecated form alone needs does not come with the rest', () => {
  const lazy = loadedBy(new URL('./lazy.js', import.meta.url))
  const whole = loadedBy(new URL('./index.js', import.meta.url))
  assert.ok(lazy.has('@marcbachmann/cel-js') && whole.has('@jmespath-community/jmespath'))
  assert.ok(!lazy.has('@jmespath-community/jmespath'))
  assert.deepEqual(
    [...lazy].filter((one) => /cluster-policy\/(?!values\/)/.test(one)),
    [],
  )
})

const cel = `
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: { name: no-maps }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps] }]
  validations: [{ expression: "object.metadata.name != 'no'", message: no such name }]
`
const old = (apiVersion: string, kind: string) => `---
apiVersion: ${apiVersion}
kind: ${kind}
metadata: { name: old${kind === 'Policy' ? ', namespace: shop' : ''} }
spec:
  rules:
    - name: labelled
      match: { any: [{ resources: { kinds: [ConfigMap] } }] }
      validate:
        failureAction: Enforce
        message: give it a label
        pattern: { metadata: { labels: { app: '?*' } } }
`

test('it says what the whole engine says, with the deprecated form among the policies and without it', async () => {
  const [bare, wrong] = objects(
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a, namespace: shop }\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: "no", namespace: shop }\n',
  )
  assert.ok(bare && wrong)
  for (const [policies, outcomes] of [
    [cel, ['allow', 'deny']],
    [cel + old('kyverno.io/v1', 'ClusterPolicy'), ['deny', 'deny']],
    [cel + old('kyverno.io/v2beta1', 'Policy'), ['deny', 'deny']],
  ] as const) {
    const set = objects(policies)
    const lazily = await compileLazily(set)
    const whole = compileAdmission(set)
    const said: readonly Admission[] = [bare, wrong].map((object) => admit({ operation: 'CREATE', object }, lazily))
    assert.deepEqual(
      said.map(({ outcome }) => outcome),
      outcomes,
    )
    assert.deepEqual(
      said.map(({ steps, refusal }) => ({ steps, refusal })),
      [bare, wrong].map((object) => {
        const { steps, refusal } = admit({ operation: 'CREATE', object }, whole)
        return { steps, refusal }
      }),
    )
    assert.deepEqual(lazily.notModelled, whole.notModelled)
  }
})

test('a policy that Kyverno refuses is a mistake here too', async () => {
  const [broken] = objects(cel.replace("object.metadata.name != 'no'", 'object.'))
  assert.ok(broken)
  await assert.rejects(compileLazily([broken]), { name: 'CompileError' })
})
