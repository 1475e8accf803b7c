import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvalidDescription } from '../description/problems.js'
import { readDescription } from '../description/read.js'
import { generate } from '../generate/generate.js'
import { k8s } from '../testing/k8s.js'

const idOf = (kind: string, namespace: string | undefined, name: string): string => `${kind}/${namespace}/${name}`
const policies = k8s.filter(({ layer }) => layer !== undefined)
const namespaces = new Set(policies.flatMap(({ namespace }) => namespace ?? []))
const workloads = new Set(
  k8s.filter(({ layer }) => layer === undefined).map(({ namespace, name }) => `${namespace}/${name}`),
)

/** What is made under this name and in this namespace, with every wall that there can be; undefined where nobody may be called so. */
function made(namespace: string, name: string): readonly string[] | undefined {
  const callers = [{ namespace: 'sandbox', name: 'sleep', methods: ['GET'] }]
  const calls = [{ namespace: 'sandbox', name: 'collector', port: 8080, waypoint: 'waypoint' }]
  const raw = { name, namespace, image: 'localhost/bulkhead/probe:0.1.0', port: 8080, callers, calls }
  try {
    const objects = generate(readDescription(raw, () => true)).flatMap((file) => file.objects)
    return objects.map(({ kind, metadata }) => idOf(kind, metadata.namespace, metadata.name))
  } catch (error) {
    assert.ok(error instanceof InvalidDescription, String(error))
    return undefined
  }
}

test('no workload may be named so that what is made for it takes the place of a policy of another', () => {
  const there = new Set(policies.map(({ kind, namespace, name }) => idOf(kind, namespace, name)))
  const names = new Set(policies.map(({ name }) => name))
  let taken = 0
  for (const namespace of namespaces)
    for (const name of names) {
      // Who is called like a workload that is there takes its place, and means to.
      if (workloads.has(`${namespace}/${name}`)) continue
      const ids = made(namespace, name)
      if (ids === undefined) taken++
      const replaced = ids?.filter((id) => there.has(id)) ?? []
      assert.deepEqual(replaced, [], `${namespace}/${name}`)
    }
  assert.ok(taken > 100, `${taken} are refused`)
  assert.ok(made('demo', 'worker-app')?.includes('AuthorizationPolicy/demo/worker-app'), 'a control')
})
