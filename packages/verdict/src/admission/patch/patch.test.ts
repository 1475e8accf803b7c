import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { applyConfiguration, applyJsonPatch, PatchError, strategicMerge } from './index.js'

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', labels: { app: 'web' }, finalizers: ['a'] },
  spec: {
    containers: [
      {
        name: 'web',
        image: 'web:1',
        ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP' }],
        args: ['x'],
      },
      { name: 'side', image: 'side:1', env: [{ name: 'A', value: '1' }] },
    ],
    tolerations: [{ key: 'a' }],
  },
}

const spec = (value: unknown): unknown => (value as { spec: unknown }).spec
const containers = (value: unknown): readonly Record<string, unknown>[] =>
  (spec(value) as { containers: Record<string, unknown>[] }).containers

test('a strategic merge tells containers, ports and env apart by their keys, and replaces other lists', () => {
  const patch = {
    metadata: { labels: { app: null, tier: 'x' }, finalizers: ['b', 'a'] },
    spec: {
      containers: [
        {
          name: 'side',
          env: [
            { name: 'A', value: '2' },
            { name: 'B', value: '3' },
          ],
        },
        { name: 'web', ports: [{ containerPort: 53, protocol: 'UDP', name: 'dns' }], args: ['y'] },
        { name: 'new', image: 'new:1' },
      ],
      tolerations: [{ key: 'b' }],
    },
  }
  assert.deepEqual(strategicMerge(pod, patch), {
    ...pod,
    metadata: { name: 'p', labels: { tier: 'x' }, finalizers: ['a', 'b'] },
    spec: {
      containers: [
        {
          name: 'web',
          image: 'web:1',
          ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP', name: 'dns' }],
          args: ['y'],
        },
        {
          name: 'side',
          image: 'side:1',
          env: [
            { name: 'A', value: '2' },
            { name: 'B', value: '3' },
          ],
        },
        { name: 'new', image: 'new:1' },
      ],
      tolerations: [{ key: 'b' }],
    },
  })
  // kustomize, and Kyverno with it, puts what is new first.
  const first = strategicMerge(pod, { spec: { containers: [{ name: 'new', image: 'n' }] } }, { added: 'first' })
  assert.deepEqual(
    containers(first).map(({ name }) => name),
    ['new', 'web', 'side'],
  )
})

test('directives of a strategic merge: an item goes, a map or a list is another one, keys are retained', () => {
  const without = strategicMerge(pod, { spec: { containers: [{ name: 'web', $patch: 'delete' }] } })
  assert.deepEqual(
    containers(without).map(({ name }) => name),
    ['side'],
  )
  const replaced = strategicMerge(pod, { spec: { containers: [{ $patch: 'replace' }, { name: 'only', image: 'o' }] } })
  assert.deepEqual(containers(replaced), [{ name: 'only', image: 'o' }])
  assert.deepEqual(strategicMerge(pod, { metadata: { labels: { $patch: 'replace', b: 'c' } } }), {
    ...pod,
    metadata: { ...pod.metadata, labels: { b: 'c' } },
  })
  assert.deepEqual(
    strategicMerge(
      { strategy: { type: 'RollingUpdate', rollingUpdate: {} } },
      { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
    ),
    {
      strategy: { type: 'Recreate' },
    },
  )
  const fewer = strategicMerge(pod, {
    metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] },
    '$setElementOrder/x': [],
  })
  assert.deepEqual((fewer as typeof pod).metadata.finalizers, [])
  assert.throws(
    () => strategicMerge(pod, { spec: { $patch: 'swap' } }),
    /\$patch is "swap"; it must be replace, delete/,
  )
  assert.throws(() => strategicMerge(pod, { spec: { containers: [{ image: 'x' }] } }), /"containers" has no name/)
})

test("a Service's ports merge by their number; a NetworkPolicy's are one value", () => {
  const service = { kind: 'Service', spec: { ports: [{ port: 80, targetPort: 'http' }] } }
  assert.deepEqual(strategicMerge(service, { spec: { ports: [{ port: 80, nodePort: 30080 }, { port: 81 }] } }), {
    kind: 'Service',
    spec: { ports: [{ port: 80, targetPort: 'http', nodePort: 30080 }, { port: 81 }] },
  })
  const policy = { kind: 'NetworkPolicy', spec: { ingress: [{ ports: [{ port: 1 }] }] } }
  const other = { spec: { ingress: [{ ports: [{ port: 2 }] }] } }
  assert.deepEqual(spec(strategicMerge(policy, other)), other.spec)
})

test('an apply configuration adds and changes, and refuses to replace what is one value', () => {
  const merged = applyConfiguration(pod, {
    metadata: { labels: { tier: 'x' }, finalizers: ['a', 'z'] },
    spec: { containers: [{ name: 'web', image: 'web:2' }, { name: 'new' }] },
  })
  assert.deepEqual(merged.metadata, { ...pod.metadata, labels: { app: 'web', tier: 'x' }, finalizers: ['a', 'z'] })
  assert.deepEqual(containers(merged), [
    { ...pod.spec.containers[0], image: 'web:2' },
    pod.spec.containers[1],
    { name: 'new' },
  ])
  const atomic = { spec: { tolerations: [{ key: 'b' }], containers: [{ name: 'web', args: ['y'] }] } }
  assert.throws(
    () => applyConfiguration(pod, atomic),
    (error: PatchError) =>
      error.message ===
      'invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.tolerations, .spec.containers[name="web"].args',
  )
  assert.deepEqual(applyConfiguration(pod, atomic, { atomics: true }).spec, {
    containers: [{ ...pod.spec.containers[0], args: ['y'] }, pod.spec.containers[1]],
    tolerations: [{ key: 'b' }],
  })
})

test('RFC 6902: its own examples, escapes, and what does not apply', () => {
  const rows: [document: unknown, operations: object[], result: unknown][] = [
    [{ foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { foo: 'bar', baz: 'qux' }],
    [{ foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
    [{ foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['a'] }], { foo: ['bar', ['a']] }],
    [{ baz: 1, foo: 2 }, [{ op: 'remove', path: '/baz' }], { foo: 2 }],
    [{ foo: ['a', 'b', 'c'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['a', 'c'] }],
    [{ baz: 'qux' }, [{ op: 'replace', path: '/baz', value: null }], { baz: null }],
    [{ a: { b: 1 }, c: {} }, [{ op: 'move', from: '/a/b', path: '/c/d' }], { a: {}, c: { d: 1 } }],
    [{ foo: ['a', 'b', 'c'] }, [{ op: 'move', from: '/foo/0', path: '/foo/2' }], { foo: ['b', 'c', 'a'] }],
    [{ a: 1 }, [{ op: 'copy', from: '/a', path: '/b' }], { a: 1, b: 1 }],
    [{ a: { b: [1, '2'] } }, [{ op: 'test', path: '/a', value: { b: [1, '2'] } }], { a: { b: [1, '2'] } }],
    [
      { '/': 9, '~1': 10 },
      [
        { op: 'test', path: '/~01', value: 10 },
        { op: 'remove', path: '/~1' },
      ],
      { '~1': 10 },
    ],
    [{ a: 1 }, [{ op: 'replace', path: '', value: [2] }], [2]],
  ]
  for (const [document, operations, result] of rows) {
    assert.deepEqual(applyJsonPatch(document, operations), result, JSON.stringify(operations))
  }
  const refused: [object[], RegExp][] = [
    [[{ op: 'remove', path: '/x' }], /remove operation does not apply: doc is missing path: "\/x": missing value/],
    [[{ op: 'add', path: '/x/y', value: 1 }], /doc is missing path: "\/x\/y"/],
    [[{ op: 'replace', path: '/l/7', value: 1 }], /missing path/],
    [[{ op: 'add', path: '/l/01', value: 1 }], /missing path/],
    [[{ op: 'add', path: 'a', value: 1 }], /"a" is no JSON pointer/],
    [[{ op: 'merge', path: '/a' }], /op "merge"; it must be one of add, remove/],
    [[{ op: 'add', path: '/a' }], /operation 0 of the JSON patch has no value/],
    [[{ op: 'move', from: '/o', path: '/o/p' }], /is inside of/],
  ]
  for (const [operations, message] of refused) {
    assert.throws(() => applyJsonPatch({ l: [1], o: {} }, operations), message)
  }
  assert.throws(
    () => applyJsonPatch({ a: 1 }, [{ op: 'test', path: '/a', value: 2 }]),
    (error: PatchError) => error.testFailed,
  )
})

test("Kyverno's liberties: what is missing may be removed, parents are made, indexes count from the end", () => {
  const kyverno = { missingRemoved: true, parentsMade: true, negativeIndexes: true }
  const document = { list: [1, 2] }
  assert.deepEqual(applyJsonPatch(document, [{ op: 'remove', path: '/x/y' }], kyverno), document)
  assert.deepEqual(applyJsonPatch(document, [{ op: 'remove', path: '/list/-1' }], kyverno), { list: [1] })
  assert.deepEqual(applyJsonPatch({}, [{ op: 'add', path: '/a/b/-', value: 1 }], kyverno), { a: { b: [1] } })
})

test('no patch reaches a prototype, nests without end or grows without end', () => {
  const evil = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}') as Record<
    string,
    unknown
  >
  for (const result of [
    strategicMerge({}, evil),
    applyConfiguration({}, evil),
    applyJsonPatch({}, [{ op: 'add', path: '/__proto__', value: { polluted: 1 } }]),
  ]) {
    assert.equal(Object.getPrototypeOf(result), Object.prototype)
    assert.ok(Object.hasOwn(result as object, '__proto__'))
    assert.equal((result as { polluted?: number }).polluted, undefined)
  }
  assert.equal(({} as { polluted?: number }).polluted, undefined)
  assert.throws(() => applyJsonPatch({}, [{ op: 'replace', path: '/__proto__/x', value: 1 }]), PatchError)
  let deep: Record<string, unknown> = {}
  for (let level = 0; level < 1000; level++) deep = { a: deep }
  assert.throws(() => strategicMerge({}, deep), /nests more than 128 levels/)
  assert.throws(() => applyConfiguration({}, deep), /nests more than 128 levels/)
  assert.throws(() => applyJsonPatch({}, [{ op: 'add', path: '/a', value: deep }]), /nests more than 128 levels/)
  const path = '/a'.repeat(100_000)
  assert.throws(() => applyJsonPatch({}, [{ op: 'add', path, value: 1 }], { parentsMade: true }), /128 levels/)
  const nesting = Array.from({ length: 200 }, () => ({ op: 'copy', from: '', path: '/a' }))
  assert.throws(() => applyJsonPatch({ b: [1, 2, 3] }, nesting), /128 levels/)
  const wide = Array.from({ length: 64 }, () => ({ op: 'copy', from: '/l', path: '/l/-' }))
  assert.throws(() => applyJsonPatch({ l: [1] }, wide), /writes more than 1000000 fields|128 levels/)
})

const json = fc.jsonValue({ maxDepth: 4 })
const anObject = fc.dictionary(
  fc.string({ maxLength: 3 }).filter((key) => !key.startsWith('$')),
  json,
)

test('properties: patches are pure, an empty one changes nothing, what was added can be removed', () => {
  fc.assert(
    fc.property(anObject, anObject, fc.string({ maxLength: 4 }), json, (base, patch, key, value) => {
      const before = JSON.stringify([base, patch])
      strategicMerge(base, patch)
      applyConfiguration(base, patch, { atomics: true })
      assert.equal(JSON.stringify([base, patch]), before)
      assert.deepEqual(strategicMerge(base, {}), base)
      assert.deepEqual(applyConfiguration(base, {}), base)
      const path = `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
      const added = applyJsonPatch(base, [{ op: 'add', path, value }])
      assert.deepEqual((added as Record<string, unknown>)[key], value)
      const { [key]: _, ...rest } = base
      assert.deepEqual(applyJsonPatch(added, [{ op: 'remove', path }]), rest)
    }),
  )
})
