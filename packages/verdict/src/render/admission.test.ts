import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asked, objects } from '../admission/testing/read.js'
import { renderAdmission } from './admission.js'

const policy = `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: { name: makes }
spec:
  rules:
    - name: secret
      match: { any: [{ resources: { kinds: [Namespace] } }] }
      generate:
        apiVersion: v1
        kind: ConfigMap
        name: made
        namespace: shop
        data:
          kind: ConfigMap
          data: { spec: a }
          metadata: { labels: { a: b } }
`

test('what is made is written as people write it: apiVersion, kind, metadata, and then the rest', () => {
  const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n'
  const admission = asked(policy, namespace)
  const text = renderAdmission(admission, {
    operation: 'CREATE',
    object: objects(namespace)[0]?.object,
    file: 'shop.yaml',
  })
  const [, made = ''] = text.split('  makes ConfigMap/shop/made')
  const keys = made.split('\n').flatMap((line) => /^ {4}(\w+):/.exec(line)?.[1] ?? [])
  assert.deepEqual(keys, ['apiVersion', 'kind', 'metadata', 'data'], text)
  assert.match(made, /^ {4}data:\n {6}spec: a$/m)
})
