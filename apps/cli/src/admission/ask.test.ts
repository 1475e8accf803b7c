import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseManifests, type Resource } from '@bulkhead/resources'
import type { Change } from '@bulkhead/scenarios'
import { administrator, admit, compileAdmission, type Requester } from '@bulkhead/verdict/admission'
import { askTarget, outcomeOf } from './ask.js'

const text = (name: string, more = ''): string =>
  `apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: ${name}, namespace: shop }\n${more}`
const read = (yaml: string, file = 'f.yaml'): Resource => {
  const [resource] = parseManifests(yaml, file).resources
  assert.ok(resource !== undefined)
  return resource
}

test('the running target is asked of each object, with the others beside it, as whoever asks', async () => {
  const given = ['a', 'b'].map((name) => ({
    resource: read(text(name), `${name}.yaml`),
    change: { objects: text(name), file: `${name}.yaml` },
  }))
  const asked: { change: Change; user: Requester | undefined }[] = []
  const there = read(text('b', 'automountServiceAccountToken: false\n'))
  const target = {
    objects: async () => [{ id: there.id, object: there.object, at: 'k8s/b.yaml:1', inFiles: true }],
    admit: async (change: Change, user?: Requester) => {
      asked.push({ change, user })
      const { resources, diagnostics } = parseManifests(change.objects ?? '', change.file ?? '')
      assert.deepEqual(diagnostics, [])
      return resources.map((object) => admit({ operation: 'CREATE', object }, compileAdmission([])))
    },
  }
  const answers = await askTarget(given, target, administrator, { cwd: '/nowhere' })
  assert.deepEqual(
    answers.map(({ admission, asked: { operation, file } }) => [admission.object.id, operation, file]),
    [
      ['ServiceAccount/shop/a', 'CREATE', 'a.yaml'],
      ['ServiceAccount/shop/b', 'UPDATE', 'b.yaml'],
    ],
  )
  assert.equal(outcomeOf(answers), 'allow')
  for (const [index, { change, user }] of asked.entries()) {
    assert.equal(user, administrator)
    assert.equal(change.file, given[index]?.change.file)
    const ids = parseManifests(change.objects ?? '', '').resources.map(({ id }) => id)
    assert.deepEqual([...ids].sort(), ['ServiceAccount/shop/a', 'ServiceAccount/shop/b'])
    assert.equal(ids[0], given[index]?.resource.id)
  }
})

test('the worst outcome is the command’s: pods count, and a refusal before what is unknown', () => {
  const [object] = parseManifests(text('a'), 'f').resources
  assert.ok(object !== undefined)
  const of = (outcome: 'allow' | 'deny' | 'unknown', pod?: 'allow' | 'deny' | 'unknown') => {
    const admission = { outcome, steps: [], warnings: [], object, generated: [] } as const
    return {
      asked: { operation: 'CREATE', object: object.object, file: 'f' } as const,
      admission: { ...admission, ...(pod !== undefined && { pod: { ...admission, outcome: pod } }) },
    }
  }
  assert.equal(outcomeOf([]), 'allow')
  assert.equal(outcomeOf([of('allow'), of('unknown')]), 'unknown')
  assert.equal(outcomeOf([of('unknown'), of('allow', 'deny')]), 'deny')
})
