import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubernetesObject } from '@bulkhead/resources'
import { CompileError } from '../../../../model/compile-error.js'
import { resource } from '../../../../testing/objects.js'
import { clusterPolicyReviewers } from '../index.js'

/* What Kyverno refuses of a policy, told with the policy's own file and line. */

const pods = { any: [{ resources: { kinds: ['Pod'] } }] }

function compile(spec: unknown): unknown {
  const object: KubernetesObject = { apiVersion: 'kyverno.io/v1', kind: 'ClusterPolicy', metadata: { name: 'p' } }
  return clusterPolicyReviewers([resource({ ...object, ...{ spec } })])
}
const rule = (more: object) => ({ rules: [{ name: 'r', match: pods, ...more }] })
const validate = (more: object) => rule({ validate: more })
const condition = (more: object) => validate({ deny: { conditions: { all: [more] } } })

const rows: readonly (readonly [what: string, spec: unknown, message: RegExp])[] = [
  ['no spec', undefined, /without spec/],
  ['no rules', { rules: [] }, /without rules/],
  ['a rule without a name', { rules: [{ match: pods, validate: { deny: {} } }] }, /without a name/],
  [
    'two rules of one name',
    { rules: [...validate({ deny: {} }).rules, ...validate({ deny: {} }).rules] },
    /second rule named "r"/,
  ],
  ['a long name', { rules: [{ name: 'x'.repeat(64), match: pods, validate: { deny: {} } }] }, /64 characters/],
  ['a rule that does nothing', rule({}), /nothing to do/],
  ['a rule that does two things', rule({ validate: { deny: {} }, generate: {} }), /validate and generate/],
  ['no match', { rules: [{ name: 'r', validate: { deny: {} } }] }, /without match/],
  [
    'a match without kinds',
    rule({ match: { any: [{ resources: { namespaces: ['x'] } }] }, validate: { deny: {} } }),
    /no kinds/,
  ],
  ['any and all', rule({ match: { ...pods, all: pods.any }, validate: { deny: {} } }), /any and all/],
  [
    'an operation that is none',
    rule({ match: { any: [{ resources: { kinds: ['Pod'], operations: ['PATCH'] } }] }, validate: { deny: {} } }),
    /"PATCH" is no operation/,
  ],
  [
    'an operator that is none',
    condition({ key: 1, operator: 'Like', value: 2 }),
    /"Like" is no operator; there are Equal/,
  ],
  ['an action that is none', { ...validate({ deny: {} }), validationFailureAction: 'Block' }, /"Block" is no action/],
  ['nothing to validate', validate({ message: 'm' }), /nothing to hold objects against/],
  ['two ways to validate', validate({ deny: {}, pattern: {} }), /pattern and deny/],
  [
    'an anchor that adds, in a pattern',
    validate({ pattern: { spec: { '+(a)': 1 } } }),
    /"\+\(a\)" has no meaning here; it adds/,
  ],
  [
    'an anchor of existence, in a patch',
    rule({ mutate: { patchStrategicMerge: { '^(a)': [{}] } } }),
    /"\^\(a\)" has no meaning/,
  ],
  [
    'an anchor of negation, in a patch',
    rule({ mutate: { patchStrategicMerge: { spec: { 'X(a)': 1 } } } }),
    /"X\(a\)" has no meaning/,
  ],
  ['existence of no list', validate({ pattern: { '^(a)': { b: 1 } } }), /asks for an element of a list/],
  ['existence of nothing', validate({ pattern: { '^(a)': [] } }), /with at least one/],
  ['such anchors in a foreach', validate({ foreach: [{ list: 'a', pattern: { '+(a)': 1 } }] }), /no meaning here/],
  ['a foreach without list', validate({ foreach: [{ pattern: {} }] }), /foreach without list/],
  ['no JMESPath', validate({ message: '{{ a. }}', deny: {} }), /\{\{ a\. \}\}: incorrect query/],
  [
    'a function that Kyverno has not',
    condition({ key: '{{ upper(a) }}', operator: 'Equals', value: 1 }),
    /Unknown function: upper/,
  ],
  ['a list that is no JMESPath', validate({ foreach: [{ list: 'a[', pattern: {} }] }), /incorrect query/],
]

for (const [what, spec, message] of rows)
  test(`refused: ${what}`, () => {
    assert.throws(
      () => compile(spec),
      (error) =>
        error instanceof CompileError &&
        message.test(error.message) &&
        /^p\.yaml:\d+: ClusterPolicy\/p: /.test(error.message),
    )
  })

test('taken: variables inside of variables, and those of later rounds', () => {
  assert.ok(
    compile(condition({ key: '{{ request.object.{{ request.operation }} }}', operator: 'equals', value: '\\{{ x' })),
  )
})

test('an operator is read whatever its letters', () => {
  assert.ok(compile(condition({ key: 1, operator: 'anyin', value: [2] })))
})
