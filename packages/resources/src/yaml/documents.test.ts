import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseYaml, type YamlText } from './documents.js'
import { MAX_DOCUMENTS, MAX_FILE_BYTES } from './limits.js'
import { nodeAt, pathText } from './positions.js'

const at = (yaml: YamlText, path: readonly (string | number)[], document = 0) => {
  const found = yaml.documents[document]
  assert.ok(found)
  const { line, column } = yaml.place(nodeAt(found.positions, path).offset)
  return `${line}:${column}`
}
const codes = (text: string) => parseYaml(text).problems.map(({ code }) => code)

test('every field knows its place, list items too, and a missing field that of its closest written ancestor', () => {
  const yaml = parseYaml(
    [
      '# comment',
      'spec:',
      '  rules:',
      '    - from: [a, bb]',
      '      to: { p: 1, q: 2 }',
      '    - {}',
      '---',
      'second: 1',
    ].join('\n'),
  )
  assert.equal(at(yaml, []), '2:1')
  assert.equal(at(yaml, ['spec', 'rules']), '3:3')
  assert.equal(at(yaml, ['spec', 'rules', 0]), '4:7')
  assert.equal(at(yaml, ['spec', 'rules', 0, 'from', 1]), '4:17')
  assert.equal(at(yaml, ['spec', 'rules', 0, 'to', 'q']), '5:19')
  assert.equal(at(yaml, ['spec', 'rules', 1]), '6:7')
  assert.equal(at(yaml, ['spec', 'rules', 1, 'from', 0]), '6:7')
  assert.equal(at(yaml, ['spec', 'rules', 7, 'from']), '3:3')
  assert.equal(at(yaml, ['nothing']), '2:1')
  assert.equal(at(yaml, ['second'], 1), '8:1')
})

test('missing, null and empty are three things', () => {
  const [document] = parseYaml('a:\nb: []\nc: {}\nd: ""\n').documents
  assert.deepEqual(document?.value, { a: null, b: [], c: {}, d: '' })
})

test('lines end in CRLF too, and a byte order mark is no text', () => {
  const yaml = parseYaml('\uFEFFa: 1\r\nb:\r\n  - x\r\n')
  assert.deepEqual(yaml.documents[0]?.value, { a: 1, b: ['x'] })
  assert.equal(at(yaml, ['b', 0]), '3:5')
})

test('aliases are copies, and stand where they are used', () => {
  const yaml = parseYaml('a: &x { k: 1 }\nb: *x\nc:\n  <<: *x\n  l: 2\n')
  assert.deepEqual(yaml.documents[0]?.value, { a: { k: 1 }, b: { k: 1 }, c: { l: 2, k: 1 } })
  const value = yaml.documents[0]?.value as { a: object; b: object }
  assert.notEqual(value.a, value.b)
  assert.equal(at(yaml, ['b']), '2:1')
  assert.equal(at(yaml, ['b', 'k']), '1:9')
  assert.equal(at(yaml, ['c', 'k']), '1:9')
})

test('a field written twice is an error at the second', () => {
  const { problems, place } = parseYaml('a: 1\nb: 2\na: 3\n')
  assert.deepEqual(
    problems.map(({ code, offset }) => [code, place(offset).line]),
    [['yaml.duplicate-key', 3]],
  )
  assert.deepEqual(codes('a: 1\nb: 2\n'), [])
  assert.deepEqual(codes('8080: 1\n0x1F90: 2\n'), ['yaml.duplicate-key'])
})

test('field names are text; one that Kubernetes reads as a boolean is an error', () => {
  assert.deepEqual(codes('on: 1'), ['yaml.key'])
  assert.deepEqual(codes('"on": 1'), [])
  assert.deepEqual(codes('? [a]\n: 1'), ['yaml.key'])
  assert.deepEqual(parseYaml('8080: a').documents[0]?.value, { '8080': 'a' })
  const [document] = parseYaml('__proto__: { polluted: 1 }').documents
  assert.deepEqual(Object.keys(document?.value as object), ['__proto__'])
  assert.equal(({} as { polluted?: unknown }).polluted, undefined)
})

test('bad YAML is one error, at its place', () => {
  const { problems, documents, place } = parseYaml('a: 1\n---\nb: [1, 2\nc: 3\n')
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['yaml.syntax'],
  )
  assert.deepEqual(place(problems[0]?.offset ?? 0), { line: 4, column: 1 })
  assert.deepEqual(
    documents.map(({ value }) => value),
    [{ a: 1 }],
  )
  assert.deepEqual(codes('a: !!python/object x'), ['yaml.tag'])
  assert.deepEqual(codes('a: *nowhere'), ['yaml.alias'])
})

test('the error says what is likely wrong', () => {
  const told = (text: string) => parseYaml(text).problems.map(({ message }) => message)
  const rows: readonly (readonly [string, RegExp])[] = [
    ['a:\n\tb: 1\n', /indent with spaces/],
    ['a:\n  b: 1\n c: 2\n', /indentation of this line/],
    ['a: b: c\n', /put a value that holds ": " in quotes/],
    ['a: "b\nc: 1\n', /opened above and not closed/],
    ['a: {{ .Values.x }}\n', /helm template/],
    ['{{- if .x }}\na: 1\n{{- end }}\n', /helm template/],
    ['kind: A\nkind: B\n', /a line --- is missing above/],
  ]
  for (const [text, advice] of rows) assert.match(told(text)[0] ?? '', advice, text)
  assert.doesNotMatch(told('a:\n  kind: A\n  kind: B\n')[0] ?? '', /---/, 'objects do not begin inside others')
})

test('line ends of every system, and a mark at the start of a document', () => {
  const text = 'a: 1\nb: |\n  x\n  y\n---\nc: 2\n'
  for (const end of ['\n', '\r\n', '\r']) {
    const { documents, problems, place } = parseYaml(text.replaceAll('\n', end))
    assert.deepEqual(problems, [])
    assert.deepEqual(
      documents.map(({ value }) => value),
      [{ a: 1, b: 'x\ny\n' }, { c: 2 }],
    )
    assert.deepEqual(place(documents[1]?.positions.offset ?? 0), { line: 6, column: 1 })
  }
  const marked = parseYaml('\ufeffa: 1\n---\n\ufeffb: 2\n')
  assert.deepEqual(
    marked.documents.map(({ value }) => value),
    [{ a: 1 }, { b: 2 }],
  )
})

test('what would cost too much is refused in little time', () => {
  const bomb = [
    'a0: &a0 [x, x, x, x, x, x, x, x, x, x]',
    ...Array.from({ length: 20 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(', ')}]`),
  ].join('\n')
  const nested = Array.from({ length: 90 }, (_, i) => `b${i + 1}: &b${i + 1} [[*b${i}]]`)
  const started = process.cpuUsage()
  assert.deepEqual(codes(bomb), ['yaml.too-many-values'])
  assert.deepEqual(codes(['b0: &b0 []', ...nested].join('\n')), ['yaml.too-deep'])
  assert.deepEqual(codes('[&a [*a]]'), ['yaml.alias'])
  assert.deepEqual(codes('['.repeat(50_000)), ['yaml.too-deep'])
  assert.deepEqual(codes('- '.repeat(50_000)), ['yaml.too-deep'])
  assert.deepEqual(codes('}'.repeat(50_000)), ['yaml.syntax'])
  assert.deepEqual(codes('a\n---\n'.repeat(MAX_DOCUMENTS + 1)), ['yaml.too-many-documents'])
  assert.deepEqual(codes(' '.repeat(MAX_FILE_BYTES + 1)), ['file.too-large'])
  // Of the processor's time, whoever else wants it.
  assert.ok(process.cpuUsage(started).user < 10_000_000)
  // The control: as deep and as many as any object is.
  assert.deepEqual(codes(`${'['.repeat(50)}${']'.repeat(50)}\n---\nb: &b 1\nc: [*b, *b]\n`), [])
})

test('an empty text has a place too', () => {
  assert.deepEqual(parseYaml('').place(0), { line: 1, column: 1 })
  assert.deepEqual(parseYaml('').documents, [])
})

test('paths read as they are written in documentation', () => {
  assert.equal(pathText(['spec', 'rules', 0, 'from']), 'spec.rules[0].from')
  assert.equal(pathText(['metadata', 'labels', 'app.kubernetes.io/name']), 'metadata.labels["app.kubernetes.io/name"]')
})
