import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, podPolicy } from '../../testing/cel-policies.js'

/*
 * Kyverno's own test pods of require-run-as-nonroot (their values), against a ValidatingPolicy that asks the same: set in
 * the pod or in every container, and taken back in none.
 */

const all = `object.spec.containers + object.spec.?initContainers.orValue([]) + object.spec.?ephemeralContainers.orValue([])`
const policy = podPolicy(
  'require-run-as-non-root',
  `  variables:
    - name: all
      expression: ${all}
  validations:
    - expression: >-
        object.spec.?securityContext.?runAsNonRoot.orValue(false)
        ? variables.all.all(c, c.?securityContext.?runAsNonRoot.orValue(true) == true)
        : variables.all.all(c, c.?securityContext.?runAsNonRoot.orValue(false) == true)
      message: runAsNonRoot has to be true
`,
)

type Says = boolean | undefined
const says = (value: Says, indent: string): string =>
  value === undefined ? '' : `${indent}securityContext: { runAsNonRoot: ${value} }\n`
const list = (name: string, values: readonly Says[]): string =>
  values.length === 0
    ? ''
    : `  ${name}:\n${values.map((value, index) => `    - name: ${name.toLowerCase()}-${index}\n      image: x\n${says(value, '      ')}`).join('')}`

function pod(own: Says, containers: readonly Says[], initContainers: readonly Says[] = []): string {
  return `apiVersion: v1\nkind: Pod\nmetadata: { name: p, namespace: sandbox }\nspec:\n${says(own, '  ')}${list('initContainers', initContainers)}${list('containers', containers)}`
}

const rows: readonly (readonly [name: string, object: string, path?: string])[] = [
  ['badpod01: nothing set', pod(undefined, [undefined]), '/spec/containers/0/securityContext/runAsNonRoot'],
  ['badpod02: the container says no', pod(undefined, [false]), '/spec/containers/0/securityContext/runAsNonRoot'],
  ['badpod03: the pod says no', pod(false, [undefined]), '/spec/containers/0/securityContext/runAsNonRoot'],
  [
    'badpod04: the pod says yes, the container no',
    pod(true, [false]),
    '/spec/containers/0/securityContext/runAsNonRoot',
  ],
  ['the second container says no', pod(true, [true, false]), '/spec/containers/1/securityContext/runAsNonRoot'],
  [
    'one of two containers says nothing',
    pod(undefined, [true, undefined]),
    '/spec/containers/1/securityContext/runAsNonRoot',
  ],
  [
    'badpod12: the pod says yes, an init container no',
    pod(true, [undefined], [false]),
    '/spec/initContainers/0/securityContext/runAsNonRoot',
  ],
  ['goodpod01: the pod says yes', pod(true, [undefined])],
  ['goodpod02: the container says yes', pod(undefined, [true])],
  ['two containers say yes', pod(undefined, [true, true])],
  ['goodpod06: the pod and an init container say yes', pod(true, [undefined], [true])],
]

for (const [name, object, path] of rows) {
  test(name, () => {
    const [step] = ask(policy, object)
    assert.deepEqual([step?.outcome, step?.path], path === undefined ? ['allow', undefined] : ['deny', path])
  })
}
