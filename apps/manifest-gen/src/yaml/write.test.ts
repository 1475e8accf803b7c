import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyText } from '@bulkhead/testing/text'
import fc from 'fast-check'
import { parse, parseAllDocuments, parseDocument } from 'yaml'
import { readDescription } from '../description/read.js'
import { generate } from '../generate/generate.js'
import { smallest } from '../testing/app.js'
import { writeFiles, writeYaml } from './write.js'

const runs = process.env.BULKHEAD_LONG === '1' ? 20_000 : 500

/** Every reading of YAML that somebody's tool may have: kubectl's is 1.1 with much of 1.2. */
const readings = [
  { version: '1.2' as const, schema: 'core' as const },
  { version: '1.1' as const, schema: 'yaml-1.1' as const, merge: true },
]

/** What would be something else if it were put into text, or left without quotes. */
const hostile = [
  ...[
    '',
    ' ',
    '\n',
    '\t',
    'a\nb',
    'a\r\nb',
    '\n---\nkind: Secret',
    '...',
    '---',
    '--- x',
    '# no comment',
    'a #b',
    'a: b',
  ],
  ...[
    '- a',
    '? a',
    ': a',
    '&a',
    '*a',
    '!!str a',
    '!include x',
    '| a',
    '> a',
    '@a',
    '`a',
    '%TAG',
    '{a: b}',
    '[a]',
    '{{ .Values.x }}',
  ],
  ...[
    '\u0024{HOME}',
    '$(HOME)',
    '"',
    "'",
    '\\',
    '\\n',
    '<<',
    '=',
    '~',
    'null',
    'Null',
    'yes',
    'No',
    'on',
    'OFF',
    'y',
    'N',
    'true',
    'False',
  ],
  ...[
    '0',
    '007',
    '0o17',
    '0x1F',
    '0b11',
    '1e3',
    'e3',
    'E0',
    '1_000',
    '.5',
    '-1',
    '+1',
    '1:30',
    '12:30:45',
    '.inf',
    '-.INF',
    '.nan',
    '2001-12-14',
  ],
  ...[
    '2001-12-14t21:59:43.10-05:00',
    'a\u0085b',
    'a\u2028b',
    '\u2029',
    '\u0000',
    '\u0007',
    '\u007f',
    '\u009b',
    '\ufeffa',
    '\ufffe',
  ],
  ...[
    '\u{1f600}',
    'é',
    '\u202eabc',
    'http://a/b',
    'a:b',
    'a:',
    ':a',
    'a,b',
    ' a',
    'a ',
    'x'.repeat(4_000),
    '__proto__',
    'constructor',
  ],
]
const texts = fc.oneof(
  fc.constantFrom(...hostile),
  anyText(),
  fc.string({ unit: fc.constantFrom(...'\n\t #:-?{}[],&*!|>\'"%@`~=<.0123456789eExyYnNoO_\u0085\u2028') }),
)

test('whatever a text holds, every reader has this very text back, as a value and as a key', () => {
  const check = (value: string): void => {
    const object = { before: 1, list: [value, { field: value }], [`${value}!`]: true, after: 'end' }
    const written = writeYaml(object)
    for (const reading of readings) {
      const document = parseDocument(written, { ...reading, logLevel: 'silent' })
      assert.deepEqual([document.errors, document.warnings], [[], []], JSON.stringify(value))
      assert.deepEqual(document.toJS(), object, `${JSON.stringify(value)} as ${reading.schema}`)
    }
    assert.match(written, /^[\x20-\x7e\n]*$/, 'nothing beyond ASCII, for readers that guess')
    assert.doesNotMatch(written, /^(?:---|\.\.\.)/m)
  }
  for (const value of hostile) check(value)
  fc.assert(fc.property(texts, check), { numRuns: runs })
})

test('in a whole set: arguments and variables that would be structure are what they were, and nothing is added', () => {
  fc.assert(
    fc.property(
      fc.array(
        texts.filter((text) => !text.includes('\0') && !/\p{Surrogate}/u.test(text)),
        { minLength: 1, maxLength: 5 },
      ),
      (values) => {
        const env = values.map((value, index) => ({ name: `V${index}`, value }))
        const files = generate(readDescription({ ...smallest, args: values, env }, () => true))
        const plain = generate(readDescription(smallest, () => true))
        const kinds = plain.flatMap(({ objects }) => objects.map(({ kind }) => kind))
        for (const reading of readings) {
          const documents = parseAllDocuments(writeFiles(files), reading).map((one) => one.toJS() as unknown)
          assert.deepEqual(
            documents.map((one) => (one as { readonly kind: string }).kind),
            kinds,
          )
          const deployment = JSON.parse(JSON.stringify(documents[1])) as {
            readonly spec: {
              readonly template: {
                readonly spec: { readonly containers: readonly { readonly args: unknown; readonly env: unknown }[] }
              }
            }
          }
          const [container] = deployment.spec.template.spec.containers
          assert.deepEqual(container?.args, values)
          assert.deepEqual(container?.env, env)
        }
      },
    ),
    { numRuns: runs / 5 },
  )
})

test('what needs no quotes has none, and equal objects are written out each time', () => {
  const same = { matchLabels: { app: 'web-api' } }
  assert.equal(
    writeYaml({ a: same, b: same, image: 'localhost:5000/x/y:v1.2', number: 8080, port: '8080', ok: true }),
    'a:\n  matchLabels:\n    app: web-api\nb:\n  matchLabels:\n    app: web-api\nimage: localhost:5000/x/y:v1.2\nnumber: 8080\nport: "8080"\nok: true\n',
  )
  assert.equal(parse(writeYaml({ version: '1.10' })).version, '1.10')
})
