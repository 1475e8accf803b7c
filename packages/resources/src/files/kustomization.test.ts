import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Diagnostic } from '../types.js'
import { readKustomization } from './kustomization.js'

function read(text: string) {
  const told: Diagnostic[] = []
  const kustomization = readKustomization(text, 'kustomization.yaml', (diagnostic) => told.push(diagnostic))
  return {
    kustomization,
    told: told.map(({ code, at }) => `${code} ${at.line}:${at.column}`),
    messages: told.map(({ message }) => message),
  }
}

test('resources and the namespace are read, each with its place', () => {
  const { kustomization, told } = read(
    'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: shop\nresources:\n  - a.yaml\n  - ../base\n',
  )
  assert.deepEqual(told, [])
  assert.deepEqual(kustomization, {
    namespace: 'shop',
    resources: [
      { path: 'a.yaml', at: { file: 'kustomization.yaml', line: 5, column: 5 } },
      { path: '../base', at: { file: 'kustomization.yaml', line: 6, column: 5 } },
    ],
  })
  assert.deepEqual(read('namespace: BAD_ns\nresources: []').told, ['object.name 1:1'])
  // kustomize fills both in.
  assert.deepEqual(read('resources: []').kustomization, { resources: [] })
})

test('what would change the objects and is not followed is an error that names it', () => {
  for (const field of [
    'patches',
    'images',
    'commonLabels',
    'labels',
    'namePrefix',
    'components',
    'configMapGenerator',
    'replicas',
    'helmCharts',
  ]) {
    const { kustomization, told, messages } = read(`resources: []\n${field}: []\n`)
    assert.equal(kustomization, undefined)
    assert.deepEqual(told, ['kustomization.unsupported 2:1'])
    assert.match(messages[0] ?? '', new RegExp(`\`${field}\` is not followed here.*kubectl kustomize`))
  }
})

test('mistakes have their place', () => {
  assert.deepEqual(read('resource: [a.yaml]'), {
    kustomization: undefined,
    told: ['field.unknown 1:1'],
    messages: ['Kustomization: unknown field "resource" in the object; did you mean "resources"?'],
  })
  assert.deepEqual(read('resources: a.yaml').told, ['field.type 1:1'])
  assert.deepEqual(read('resources:\n  - 5').told, ['field.type 2:5'])
  assert.deepEqual(read('resources: [').told, ['yaml.syntax 1:13'])
  assert.deepEqual(read('kind: Component').told, ['kustomization.component 1:1'])
  assert.deepEqual(read('kind: Deployment').told, ['kustomization.kind 1:1'])
  assert.deepEqual(read('apiVersion: v1').told, ['field.value 1:1'])
  assert.deepEqual(read('# nothing').told, ['kustomization.empty 1:1'])
  assert.deepEqual(read('- a.yaml').told, ['field.type 1:1'])
  assert.deepEqual(read('resources: []\n---\nresources: []').told, ['kustomization.documents 3:1'])
})
